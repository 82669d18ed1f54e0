"""What is asked of histograms, whichever form Prometheus holds them in."""

import pytest

from manometer.catalogue import cache
from manometer.errors import MetricError
from manometer.mixin.histograms import amounts, buckets, events, quantile, share_over, slow

LOADS = cache.LOAD_DURATION
MADE = {
    "events": events(LOADS, ("job",), {"cache.load.outcome": "ok"}, "1h"),
    "amounts": amounts(LOADS, ("job",)),
    "buckets": buckets(LOADS, ("job",)),
    "slow": slow(LOADS, 1.0, ("job",)),
    "share_over": share_over(LOADS, 1.0, ("job",), "job:loads:rate5m"),
    "quantile": quantile(0.99, LOADS, ("job",)),
}


@pytest.mark.parametrize("expr", MADE.values(), ids=MADE.keys())
def test_classic_buckets_are_read_and_native_ones(promql, expr):
    """Each expression parses and has both forms."""
    names = {name.removeprefix(LOADS.prometheus_name) for name, _ in promql.selectors(expr)}
    assert "" in names
    assert names & {"_count", "_sum", "_bucket"}


def test_the_window_and_the_matchers_reach_both_forms(promql):
    """The native form is of the same events."""
    assert MADE["events"].count("[1h]") == 2
    assert [matchers for _, matchers in promql.selectors(MADE["events"])] == 2 * [{"cache_load_outcome": ("=", "ok")}]


def test_nothing_is_divided_by_no_events():
    """Neither NaN nor infinity."""
    assert "(job:loads:rate5m > 0)" in MADE["share_over"]
    assert MADE["share_over"].endswith(">= 0)")  # which leaves out what is no number
    assert MADE["quantile"].endswith("> 0")


def test_a_matcher_that_the_histogram_does_not_have_is_refused():
    """In the native form nothing would be found, in silence."""
    with pytest.raises(MetricError):
        events(LOADS, ("job",), {"pool.name": "a"})
