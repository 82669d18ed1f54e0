"""The configuration: defaults, what may be put in their place, and what is refused."""

from dataclasses import fields

import pytest

from manometer.errors import ConfigError
from manometer.mixin.thresholds import Duration, Thresholds, Timing, parse

KEYS = [part.name for part in fields(Thresholds)]
DURATION = "is not understood; write one number and one unit, such as 30s or 5m"
FAST = (
    "choose of 1e-05, 2.5e-05, 5e-05, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, "
    "0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5"
)
WAITS = (
    "choose of 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30"
)
NOISELESS = "so that a signal without any noise would be unusual at once; choose a greater one, such as 0.05"
GRADES = "score.grades must fall from the best to the worst and end at 0"


def test_nothing_given_is_the_defaults():
    """An empty file is a configuration."""
    assert parse(None) == parse({}) == Thresholds()


def test_what_is_given_takes_the_place_of_its_default_alone():
    """At any depth, the rest stays as it was."""
    config = parse(
        {
            "runbooks": "https://wiki",
            "jobs": ["a", "b"],
            "pool": {"saturation_ratio": 0.7},
            "timing": {"BreakerOpen": {"hold": "2m"}},
        }
    )
    assert (config.runbooks, config.jobs) == ("https://wiki", ("a", "b"))
    assert config.pool.saturation_ratio == 0.7
    assert config.pool.wait_seconds == Thresholds().pool.wait_seconds
    assert config.timing["BreakerOpen"] == Timing(Duration("2m"))
    assert config.timing["TargetDown"] == Thresholds().timing["TargetDown"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cach": {}}, "unknown key 'cach'; did you mean cache?"),
        ({"limits": {}}, f"unknown key 'limits'; there are {', '.join(KEYS)}"),
        ({"cache": {"hit": 1}}, "unknown key 'cache.hit'; did you mean hit_ratio?"),
        ({"timing": {"TargetDown": {"fo": 1}}}, "unknown key 'timing.TargetDown.fo'; there are hold, keep"),
        ({"cache": 3}, "cache is 3; it takes keys: hit_ratio, floor"),
        ([], f"the configuration is []; it takes keys: {', '.join(KEYS)}"),
        ({"cache": {"hit_ratio": "high"}}, "cache.hit_ratio is 'high'; it takes a number"),
        ({"cache": {"hit_ratio": 1.1}}, "cache.hit_ratio is 1.1; it takes a number from 0 to 1"),
        ({"cache": {"floor": -0.1}}, "cache.floor is -0.1; it takes a number from 0"),
        ({"cache": {"floor": True}}, "cache.floor is True; it takes a number"),
        ({"interval": "soon"}, f"duration 'soon' {DURATION}"),
        ({"interval": 30}, f"duration '30' {DURATION}"),
        ({"runbooks": 3}, "runbooks is 3; it takes text"),
        ({"analytics": {"tolerance_ratio": 0}}, f"analytics.tolerance_ratio is 0, {NOISELESS}"),
        ({"jobs": "alluse"}, "jobs is 'alluse'; it takes a list of names"),
        ({"jobs": [1]}, "jobs is [1]; it takes a list of names"),
        (
            {"runbooks": "docs/runbooks"},
            "runbooks is 'docs/runbooks', which is no link in a notification; give a URL with http:// or https://",
        ),
        (
            {"jobs": ['a"b']},
            "job 'a\"b' holds more than letters, digits and . : / - _; give a job's plain name",
        ),
        (
            {"engine": {"latency_seconds": 0.3}},
            f"engine.latency_seconds is 0.3, where no bucket of engine_stage_duration_seconds ends; {FAST}",
        ),
        (
            {"engine": {"waiting_seconds": 0.3}},
            f"engine.waiting_seconds is 0.3, where no bucket of engine_stage_duration_seconds ends; {FAST}",
        ),
        (
            {"pool": {"wait_seconds": 0.3}},
            f"pool.wait_seconds is 0.3, where no bucket of pool_wait_duration_seconds ends; {WAITS}",
        ),
        (
            {"engine": {"objective_ratio": 0.93}},
            "engine.objective_ratio is 0.93; "
            "below 0.9306 the fast burn rate of 14.4 can never be reached, so choose a higher one",
        ),
        ({"score": {"grades": {"F": 0.5}}}, GRADES),
        ({"score": {"grades": {"A": 0.5}}}, GRADES),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, message):
    """The error says which key, and what it takes."""
    with pytest.raises(ConfigError) as refused:
        parse(values)
    assert str(refused.value) == message


def test_the_ends_of_a_range_may_be_chosen():
    """A ratio of 0 or 1, and the lowest objective whose fast burn can be reached."""
    config = parse({"cache": {"hit_ratio": 1, "floor": 0}, "engine": {"objective_ratio": 0.931}})
    assert (config.cache.hit_ratio, config.cache.floor, config.engine.objective_ratio) == (1, 0, 0.931)


@pytest.mark.parametrize(("text", "seconds"), [("15s", 15), ("5m", 300), ("1h", 3600), ("3d", 259200)])
def test_durations_are_prometheus_durations(text, seconds):
    """One number and one unit, and the seconds that it means."""
    assert Duration(text).seconds == seconds
