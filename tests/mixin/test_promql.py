"""Selectors that are checked against the catalogue."""

import pytest

from manometer.catalogue import cache
from manometer.errors import MetricError
from manometer.mixin.promql import any_of, bound, ratio, saturation, select, staying_over

REQUESTS, LOADS = "'cache_requests_total'", "'cache_load_duration_seconds'"
ATTRIBUTES = "cache.name, cache.{}, instance, job"
KNOWN = f"it has {ATTRIBUTES.format('request.type')}"
ENDS = "it has cache.load.outcome, cache.name, instance, job"


def test_a_selector_has_the_prometheus_name_and_the_matchers():
    """A value is matched as it stands, unless it begins with its operator."""
    text = select(cache.REQUESTS, {"job": "=~$job", "cache.name": "!=old", "cache.request.type": "hit"})
    assert text == 'cache_requests_total{job=~"$job",cache_name!="old",cache_request_type="hit"}'


@pytest.mark.parametrize(
    ("metric", "part", "matchers", "message"),
    [
        (cache.REQUESTS, "", {"colour": "red"}, f"{REQUESTS} has no attribute 'colour'; {KNOWN}"),
        (
            *(cache.REQUESTS, "", {"cache.request.type": "maybe"}),
            f"{REQUESTS}: cache.request.type is one of hit, miss, not 'maybe'",
        ),
        (cache.REQUESTS, "_bucket", {}, f"{REQUESTS} is a counter; it has no series '_bucket'"),
        (cache.LOAD_DURATION, "", {}, f"{LOADS} is a histogram; it has no series ''"),
        (cache.LOAD_DURATION, "_count", {"le": "1"}, f"{LOADS} has no attribute 'le'; {ENDS}"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(metric, part, matchers, message):
    """A renamed label or value breaks the rendering, not the dashboard."""
    with pytest.raises(MetricError) as refused:
        select(metric, matchers, part)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("seconds", "matcher"), [(0.25, "0.25"), (1.0, "=~1|1.0"), (5.0, "=~5|5.0"), (1e-05, "1e-05")]
)
def test_a_bucket_is_found_however_its_bound_is_written(seconds, matcher):
    """Whole numbers gain a decimal in Prometheus 3."""
    assert bound(seconds) == matcher


def test_a_share_is_nothing_where_there_is_no_whole(promql):
    """No division by zero, and 0 where only the part is missing."""
    promql.selectors(ratio("a", "b"))
    assert ratio("a", "b") == "(a or 0 * b)\n/ (b > 0)"


def test_what_has_no_limit_is_never_full_and_what_nobody_leaves_stays_for_ever(promql):
    """Neither divides by zero."""
    for each in (saturation("a", "b"), staying_over(60, "a", "b")):
        promql.selectors(each)
    assert saturation("a", "b") == "clamp(a\n/ (b > 0), 0, 1)"
    assert staying_over(60, "a", "b") == "a\n> 60 * (b or 0 * a)"


def test_names_with_dots_match_themselves_alone(promql):
    """A dot in a job's name is no wildcard."""
    [(_, matchers)] = promql.selectors(select("up", {"job": any_of(("a.b", "c"))}))
    assert matchers["job"][1] == r"a\.b|c"
