"""What Manometer tells of the configurations that it was told to read."""

import pytest
from prometheus_client import CollectorRegistry

from forking import in_child
from manometer.registry.self_metrics import SelfMetrics
from manometer.testing import ManualClock

PREFIXES = {"settings": "manometer_config", "web_config": "manometer_server_config"}


@pytest.fixture(params=PREFIXES)
def which(request):
    """Which configuration: each is told of in the same way."""
    return request.param


def _told(registry, which):
    """Whether the last reading was right, and when the last right one was."""
    last = f"{PREFIXES[which]}_last_reload"
    return [registry.get_sample_value(f"{last}_{name}") for name in ("successful", "success_timestamp_seconds")]


def _counted(registry, which, outcome):
    prefix = PREFIXES[which]
    return registry.get_sample_value(f"{prefix}_reloads_total", {f"{prefix}_reload_outcome": outcome})


def test_what_is_right_is_told_with_its_time(which, monkeypatch):
    """Of a wrong one, the time of the last right one stays; before there was any, there is no series."""
    registry = CollectorRegistry()
    reloads = getattr(SelfMetrics.of(registry), which)
    clock = ManualClock(100.0)
    monkeypatch.setattr("manometer.registry.reloads.time", clock)
    assert _told(registry, which) == [None, None]
    reloads.started()
    assert _told(registry, which) == [1, 100]
    clock.advance(100)
    reloads.ended("refused")
    reloads.ended("refused")
    assert _told(registry, which) == [0, 100]
    clock.advance(100)
    reloads.ended("ok")
    assert _told(registry, which) == [1, 300]
    assert [_counted(registry, which, outcome) for outcome in ("ok", "refused")] == [1, 2]


def test_what_is_not_in_force_any_more_is_not_told(which):
    """What was counted stays."""
    registry = CollectorRegistry()
    reloads = getattr(SelfMetrics.of(registry), which)
    reloads.started()
    reloads.ended("refused")
    reloads.forget()
    assert _told(registry, which) == [None, None]
    assert _counted(registry, which, "refused") == 1


def test_a_forked_child_tells_nothing_of_its_parent_s(which):
    """It has read none by itself."""
    registry = CollectorRegistry()
    getattr(SelfMetrics.of(registry), which).started()
    before = _told(registry, which)

    def child():
        assert _told(registry, which) == [None, None]

    in_child(child)
    assert before[0] == 1
    assert _told(registry, which) == before
