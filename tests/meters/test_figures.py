"""What writes come to, whatever was written before."""

import math
from fractions import Fraction

import prometheus_client
import pytest
from prometheus_client.samples import Exemplar

import manometer
from manometer import Counter, Gauge, Histogram, MetricError
from manometer.meters import histogram as histogram_module


def samples_of(meter):
    """What a collection of the meter says."""
    return meter.collect()[0].samples


def told(samples):
    """The figures of samples, by name and labels as text has them."""
    return {
        sample.name + "".join(f'{{{label}="{value}"}}' for label, value in sample.labels.items()): sample.value
        for sample in samples
    }


def test_ticks_and_increments_add_up():
    """A tick is an increment by one, before and after a reset, on labelled series too."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    series = counter.labels("x")
    series.tick()
    series.inc(0.5)
    assert series.value == 1.5
    series.reset()
    series.tick()
    assert series.value == 1
    with pytest.raises(ValueError, match="missing label values"):
        counter.tick()


def test_a_reset_begins_a_counter_anew(monkeypatch):
    """Now, and from zero, whatever has not been added up yet."""
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    counter = Counter("c", "Help.", registry=None)
    for _ in range(3):
        now += 1
        counter.inc(2)
        counter.tick()
        assert counter.value == 3
        counter.inc(5)
        counter.tick()
        counter.reset()
        assert told(samples_of(counter)) == {"c_total": 0, "c_created": now}


@pytest.mark.parametrize("before", [2**53 - 4, 2**53 - 2, 2**53, 2**54])
def test_a_total_past_whole_numbers_is_what_adding_one_by_one_makes(before):
    """As in prometheus-client, however many are added up together."""
    ours, theirs = (kit.Counter("c", "Help.", registry=None) for kit in (manometer, prometheus_client))
    for counter in (ours, theirs):
        counter.inc(before)
        samples_of(counter)
        for _ in range(7):
            counter.inc()
    assert told(samples_of(ours))["c_total"] == told(samples_of(theirs))["c_total"]


def test_only_the_named_exceptions_are_counted():
    """Every one by default, but none that ends the program."""
    counter = Counter("c", "Help.", registry=None)
    for counted, raised, total in [
        ((), KeyError, 1),
        ((), KeyboardInterrupt, 1),
        ((KeyError,), KeyError, 2),
        ((KeyError,), ValueError, 2),
        (((KeyError, ValueError),), ValueError, 3),
        ((KeyboardInterrupt,), KeyboardInterrupt, 4),
    ]:
        with pytest.raises(raised), counter.count_exceptions(*counted):
            raise raised
        assert counter.value == total


class Array:
    """Adds up as numpy's do, and is as unwilling to be compared."""

    def __add__(self, other):
        return self

    __radd__ = __add__

    def __lt__(self, other):
        raise ValueError("the truth value of an array is ambiguous")

    def __float__(self):
        raise ValueError("setting an array element with a sequence")


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that outages see on, by seconds; no observation has been strange before."""
    now = [1_000.0]
    monkeypatch.setattr("manometer.meters.outages.monotonic", lambda: now[0])
    monkeypatch.setattr(histogram_module._strange, "failing", {})
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_an_observation_that_is_no_real_number_costs_no_other(caplog, clock):
    """It is lost, which is logged once until there are none; the series goes on."""
    caplog.set_level("INFO")
    histogram = Histogram("h", "Help.", registry=None)
    for _ in range(5):
        histogram.observe(1)
        histogram.observe(1j)
        histogram.observe(Array())
        histogram.observe(2)
        found = {s.name: s.value for s in samples_of(histogram)}
    assert (found["h_count"], found["h_sum"]) == (10, 15)
    lost = "observations of h that are no real numbers are lost"
    assert caplog.messages == [lost]
    clock(60)
    samples_of(histogram)
    assert caplog.messages == [lost]
    for _ in range(2):
        histogram.observe(3)
        samples_of(histogram)
    assert caplog.messages == [lost, "observations of h are real numbers again"]


def test_strange_observations_are_logged_for_each_family(caplog, clock):
    """However many of its series have them, and whichever have none."""
    caplog.set_level("INFO")
    histogram, other = (Histogram(name, "Help.", ["l"], registry=None) for name in ("h", "other"))
    for turn in range(50):
        for series, amount in (histogram.labels("x"), 1j), (histogram.labels("y"), 1), (other.labels(str(turn)), 1j):
            series.observe(amount)
            samples_of(series)
    assert caplog.messages == [f"observations of {name} that are no real numbers are lost" for name in ("h", "other")]
    assert told(samples_of(histogram))['h_count{l="y"}'] == 50


def test_not_a_number_is_in_no_bucket():
    """It spoils the sum, as in prometheus-client, and nothing else."""
    ours, theirs = (
        kit.Histogram("h", "Help.", registry=None, buckets=(1, 2)) for kit in (manometer, prometheus_client)
    )
    for histogram in (ours, theirs):
        for amount in (3, math.nan, 0.5, math.nan, 2, 1, math.nan, 1.5):
            histogram.observe(amount)
    ours, theirs = (told(samples_of(histogram)) for histogram in (ours, theirs))
    assert ours['h_bucket{le="1.0"}'] == 2
    assert math.isnan(ours["h_sum"])
    assert {name: ours[name] for name in ours if "_bucket" in name} == {
        name: theirs[name] for name in theirs if "_bucket" in name
    }


@pytest.mark.parametrize(("first", "shown"), [(-0.5, False), (0, True), (0.5, True)])
def test_a_sum_that_may_fall_is_not_shown(first, shown):
    """It is no counter where a bucket takes negative amounts, as in prometheus-client."""
    histogram = Histogram("h", "Help.", registry=None, buckets=(first, 1))
    histogram.observe(3)
    assert told(samples_of(histogram)).get("h_sum") == (3 if shown else None)


@pytest.mark.parametrize("amount", [2j, 1 + 1j, Array()])
def test_an_increment_that_is_no_real_number_is_refused(amount):
    """Where it is written, as a negative one is; it costs no other."""
    counter = Counter("c", "Help.", registry=None)
    gauge = Gauge("g", "Help.", registry=None)
    for write in (counter.inc, gauge.inc, gauge.dec):
        with pytest.raises(MetricError, match=r"[cg] takes real numbers, not "):
            write(amount)
    with pytest.raises((TypeError, ValueError)):
        gauge.set(amount)
    counter.inc(Fraction(1, 2))
    gauge.inc(True)
    gauge.dec(Fraction(1, 2))
    assert (counter.value, samples_of(gauge)[0].value) == (0.5, 0.5)


def test_a_gauge_whose_last_value_counts_only_takes_whole_values(monkeypatch):
    """A sum has no one time at which it was set; what is set has one."""
    monkeypatch.setattr("time.time", lambda: 12.5)
    gauge = Gauge("g", "Help.", ["b", "a"], registry=None, multiprocess_mode="livemostrecent")
    alone = Gauge("alone", "Help.", registry=None, multiprocess_mode="mostrecent")
    labels = {"a": "x", "b": "y"}
    gauge.labels(**labels)
    assert (gauge.read()[0][1].set_at, alone.read()[0][1].set_at) == (0, 0)
    for series in (gauge.labels(**labels), alone):
        for write in (series.inc, series.dec):
            with pytest.raises(RuntimeError) as caught:
                write()
            assert str(caught.value) == f"{write.__name__} must not be used with the mostrecent mode"
        series.set(3)
        assert samples_of(series)[0].value == 3
    gauge.labels(a="y", b="x")
    assert gauge.read() == [(("y", "x"), (3, 12.5)), (("x", "y"), (0, 0))]
    assert alone.read() == [((), (3, 12.5))]


def test_what_a_gauge_is_told_last_counts(monkeypatch):
    """Each write goes on from the one before; a function has the last word."""
    monkeypatch.setattr("time.time", lambda: 12.5)
    gauge = Gauge("g", "Help.", registry=None)
    found = []
    for write in (
        lambda: gauge.inc(),
        lambda: gauge.inc(3),
        lambda: gauge.dec(),
        lambda: gauge.dec(0.5),
        lambda: gauge.set(7),
        lambda: gauge.inc(2),
        lambda: gauge.set_to_current_time(),
        lambda: gauge.dec(2),
        lambda: gauge.set_function(lambda: 5),
        lambda: gauge.set(9),
    ):
        write()
        found.append(samples_of(gauge)[0].value)
    assert found == [1, 4, 3, 2.5, 7, 9, 12.5, 10.5, 5, 5]


def test_no_other_gauge_tells_when_it_was_set():
    """Nobody asks."""
    gauge = Gauge("g", "Help.", registry=None, multiprocess_mode="max")
    gauge.set(3)
    gauge.inc()
    assert gauge.read() == [((), (4, 0))]
    gauge.set_function(lambda: 5)
    assert gauge.read() == [((), (5, None))]
    with pytest.raises(MetricError, match=r"^Invalid multiprocess mode: some$"):
        Gauge("g", "Help.", registry=None, multiprocess_mode="some")


def test_an_exemplar_is_kept_as_it_was_given(monkeypatch):
    """Its labels, the amount as a float, and the time."""
    monkeypatch.setattr("time.time", lambda: 12.5)
    counter = Counter("c", "Help.", registry=None)
    histogram = Histogram("h", "Help.", registry=None, buckets=(1, 5), native_schema=0)
    for write in (counter.inc, histogram.observe):
        labels = {"trace_id": "x"}
        write(5, labels)
        labels["trace_id"] = "y"
        write(0.5)
    expected = Exemplar({"trace_id": "x"}, 5.0, 12.5)
    found = [sample.exemplar for sample in [*samples_of(counter), *samples_of(histogram)] if sample.exemplar]
    assert found == [expected] * 2
    assert samples_of(histogram)[-1].native_histogram.nh_exemplars == [expected]
    assert {type(each.value) for each in found} == {float}
    assert [sample.labels["le"] for sample in samples_of(histogram) if sample.exemplar] == ["5.0"]
