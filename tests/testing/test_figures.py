"""What users read figures with in tests of their own."""

import subprocess
import sys

import pytest
from cachetools import TTLCache
from prometheus_client import CollectorRegistry

from manometer import Counter, Gauge, Histogram, instrument_cache
from manometer.testing import Figures, ManualClock


@pytest.fixture
def requests(figures):
    """A counter of two series."""
    made = Counter("requests", "Help.", ["path", "code"], registry=figures.registry)
    made.labels("/", "200").inc(2)
    made.labels("/", "404").inc()
    return made


def test_a_series_is_found_by_as_many_labels_as_it_takes(figures, requests):
    """Too few are an error that says so; a series that is not there is None."""
    assert figures("requests_total", code="404") == 1
    assert figures("requests_total", path="/", code="200") == 2
    assert figures("requests_total", code="500") is None
    assert figures("responses_total") is None
    with pytest.raises(AssertionError, match="not one series, but 2; give more labels"):
        figures("requests_total", path="/")


def test_all_series_of_a_name_are_told_by_a_label(figures, requests):
    """None for a name that is not there."""
    assert figures.all("requests_total", "code") == {"200": 2, "404": 1}
    assert figures.all("responses_total", "code") == {}


def test_changes_are_those_of_the_block(figures, requests):
    """Of counters, gauges and histograms; what is new counts from zero, and what comes later does not count."""
    depth = Gauge("depth", "Help.", registry=figures.registry)
    depth.set(5)
    with figures.changes() as changes:
        requests.labels("/", "404").inc(3)
        assert changes("requests_total", code="404") == 3
        requests.labels("/", "500").inc(4)
        depth.set(1)
        Histogram("took_seconds", "Help.", registry=figures.registry).observe(0.5)
    requests.labels("/", "404").inc(100)
    assert changes.all("requests_total", "code") == {"404": 3, "500": 4}
    assert changes("requests_total", code="200") == 0
    assert changes("depth") == -4
    assert (changes("took_seconds_count"), changes("took_seconds_sum")) == (1, 0.5)
    assert changes("requests_total", code="501") is None


def test_changes_are_told_of_a_block_that_raises(figures, requests):
    """What an operation counts when it fails is what a test may want to know."""

    def fail():
        with figures.changes() as changes:
            seen.append(changes)
            requests.labels("/", "404").inc()
            raise LookupError

    seen = []
    with pytest.raises(LookupError):
        fail()
    requests.labels("/", "404").inc()
    assert seen[0]("requests_total", code="404") == 1


def test_figures_are_those_of_the_registry_that_is_given():
    """Else of a fresh one each time."""
    registry = CollectorRegistry()
    Counter("requests", "Help.", registry=registry).inc()
    assert Figures(registry)("requests_total") == 1
    assert Figures()("requests_total") is None


def test_a_manual_clock_measures_what_is_instrumented():
    """Durations are then what the test says."""
    clock = ManualClock(100.0)
    figures = Figures(clock=clock)

    class Prices(TTLCache):
        def __missing__(self, key):
            clock.advance(2.5)
            self[key] = key
            return key

    prices = instrument_cache(Prices(9, 60, timer=clock), name="prices", registry=figures.registry)
    assert prices["AAPL"] == "AAPL"
    assert figures("cache_load_duration_seconds_sum", cache_load_outcome="ok") == 2.5
    clock.advance(61)
    assert "AAPL" not in prices


def test_pytest_is_imported_for_its_fixture_alone():
    """A test suite of another make has what there is, too."""
    script = "import sys, manometer.testing, manometer.adapter; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
