"""The configuration: defaults, what may be put in their place, and what is refused."""

import pytest

from manometer.errors import ConfigError
from manometer.mixin.thresholds import Duration, Thresholds, Timing, parse


def test_nothing_given_is_the_defaults():
    """An empty file is a configuration."""
    assert parse(None) == parse({}) == Thresholds()


def test_what_is_given_takes_the_place_of_its_default_alone():
    """At any depth, the rest stays as it was."""
    config = parse({"jobs": ["a", "b"], "pool": {"saturation_ratio": 0.7}, "timing": {"BreakerOpen": {"hold": "2m"}}})
    assert config.jobs == ("a", "b")
    assert config.pool.saturation_ratio == 0.7
    assert config.pool.wait_seconds == Thresholds().pool.wait_seconds
    assert config.timing["BreakerOpen"] == Timing(Duration("2m"))
    assert config.timing["TargetDown"] == Thresholds().timing["TargetDown"]


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"cach": {}}, "unknown key 'cach'"),
        ({"cache": {"hit": 1}}, "unknown key 'cache.hit'"),
        ({"timing": {"BreakerOpn": {}}}, "unknown key 'timing.BreakerOpn'"),
        ({"cache": 3}, "cache is 3; it takes keys"),
        ([], "the configuration is"),
        ({"cache": {"hit_ratio": "high"}}, "cache.hit_ratio is 'high'; it takes a number"),
        ({"cache": {"hit_ratio": 80}}, "from 0 to 1"),
        ({"cache": {"floor": -1}}, "from 0"),
        ({"cache": {"floor": True}}, "takes a number"),
        ({"interval": "soon"}, "'soon' is not understood"),
        ({"runbooks": 3}, "takes text"),
        ({"jobs": "alluse"}, "a list of names"),
        ({"jobs": []}, "jobs is empty"),
        ({"jobs": ['a"b']}, "plain name"),
        ({"engine": {"latency_seconds": 0.3}}, "no bucket of engine_stage_duration_seconds ends"),
        ({"pool": {"wait_seconds": 0.3}}, "no bucket of pool_wait_duration_seconds ends"),
        ({"engine": {"objective_ratio": 0.9}}, "can never be reached"),
        ({"score": {"grades": {"F": 0.5}}}, "end at 0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, part):
    """The error says which key, and what it takes."""
    with pytest.raises(ConfigError) as refused:
        parse(values)
    assert part in str(refused.value)


@pytest.mark.parametrize(("text", "seconds"), [("15s", 15), ("5m", 300), ("1h", 3600), ("3d", 259200)])
def test_durations_are_prometheus_durations(text, seconds):
    """One number and one unit, and the seconds that it means."""
    assert Duration(text).seconds == seconds
