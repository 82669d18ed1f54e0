"""What Manometer tells of the settings that it was told to read."""

from prometheus_client import CollectorRegistry

from forking import in_child
from manometer.registry.self_metrics import SelfMetrics

SUCCESSFUL = "manometer_config_last_reload_successful"
TIME = "manometer_config_last_reload_success_timestamp_seconds"


def _told(registry):
    return registry.get_sample_value(SUCCESSFUL), registry.get_sample_value(TIME)


def test_settings_that_are_right_are_told_with_their_time():
    """Of wrong ones, the time of the last right ones stays; before there were any, there is no series."""
    registry = CollectorRegistry()
    kit = SelfMetrics.of(registry)
    assert _told(registry) == (None, None)
    kit.configured(True, 100.0)
    assert _told(registry) == (1, 100)
    kit.configured(False, 200.0)
    kit.configured(False, 300.0)
    assert _told(registry) == (0, 100)
    kit.configured(True, 400.0)
    assert _told(registry) == (1, 400)


def test_a_forked_child_tells_nothing_of_its_parent_s_settings():
    """It has read none by itself."""
    registry = CollectorRegistry()
    SelfMetrics.of(registry).configured(True, 100.0)

    def child():
        assert _told(registry) == (None, None)

    in_child(child)
    assert _told(registry) == (1, 100)
