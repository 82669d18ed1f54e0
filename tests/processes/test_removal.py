"""What a series had come to when it was removed stays in the group's totals, whenever that was."""

import random
import threading

import pytest
from cachetools import LRUCache
from prometheus_client import CollectorRegistry

from collected import collect
from manometer import Binding, Counter, Gauge, Histogram, instrument_cache, stage
from manometer.meters.ended import _UNREAD
from manometer.processes import Worker, group_registry
from waiting import joined


@pytest.fixture
def group(tmp_path):
    """A worker alone in its group, and what the group shows: the totals of a name by a label, or in all."""

    class Group:
        registry = CollectorRegistry()
        worker = Worker.of(registry, str(tmp_path / "group"))

        def __init__(self):
            self._shown = group_registry(self.worker)

        def samples(self, name):
            return [s for metric in collect(self._shown) for s in metric.samples if s.name == name]

        def __call__(self, name):
            return sum(s.value for s in self.samples(name))

    return Group()


@pytest.mark.parametrize("written_before", [False, True])
@pytest.mark.parametrize("remove", [
    lambda meter: meter.remove("x"),
    lambda meter: meter.remove_by_labels({"l": "x"}),
    lambda meter: meter.clear(),
    lambda meter: meter.discard(meter.labels("x")),
    lambda meter: meter.expose(meter.apart(("x",))),
])  # fmt: skip
def test_a_removal_costs_the_group_nothing(group, remove, written_before):
    """What came since the last writing, or before the first, is there, and what comes after is added."""
    counter = Counter("c", "Help.", ["l"], registry=group.registry)
    histogram = Histogram("h", "Help.", ["l"], registry=group.registry, buckets=(1, 2), native_schema=3)
    total = 0
    for _ in range(3):
        for amount in (0.5, 1.5, 5):
            counter.labels("x").inc(amount)
            histogram.labels("x").observe(amount)
            total += amount
        if written_before:
            assert group("c_total") == total
        counter.labels("x").inc(2)
        histogram.labels("x").observe(2)
        total += 2
        for meter in (counter, histogram):
            remove(meter)
        assert group("c_total") == group("h_sum") == total
    assert group("h_count") == 12
    assert [s.value for s in group.samples("h_bucket")] == [3, 9, 12]
    (native,) = [s.native_histogram for s in group.samples("h") if s.native_histogram]
    assert (native.count_value, native.sum_value) == (12, total)


def test_what_a_closed_or_dead_object_counted_last_is_there(group):
    """Of objects that are instrumented, replaced, closed, and that die."""
    for number in range(30):
        cache = instrument_cache(LRUCache(1), name=f"c{number % 3}", registry=group.registry)
        for _ in range(number):
            cache.get("missing")
        if number % 5 == 0:
            assert group("cache_requests_total") == sum(range(number + 1))
        if number % 2:
            Binding.of(cache).close()
        del cache
    assert group("cache_requests_total") == sum(range(30))


def test_a_removed_gauge_is_gone(group):
    """It is no sum of events."""
    gauge = Gauge("g", "Help.", ["l"], registry=group.registry, multiprocess_mode="sum")
    gauge.labels("x").set(7)
    assert group("g") == 7
    gauge.remove("x")
    assert group.samples("g") == []


def test_totals_are_right_under_churn(group):
    """Threads that make, write and remove the same series, while others write and show the figures."""
    counter = Counter("c", "Help.", ["l"], registry=group.registry, max_series=50)
    written, shown = [], [0.0]

    def churn(seed):
        chance, total = random.Random(seed), 0
        for _ in range(2_000):
            label = f"{seed} {chance.randrange(20)}"  # of this thread alone: a write to a removed series is nobody's
            amount = chance.randrange(5)
            counter.labels(label).inc(amount)
            total += amount
            if chance.random() < 0.3 and ("other",) not in counter._metrics:
                counter.remove(label)
        written.append(total)

    threads = [threading.Thread(target=churn, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        shown.append(group("c_total"))
        assert shown[-1] >= shown[-2]
    joined(*threads)
    assert group("c_total") == sum(written)


def test_what_is_kept_of_removed_series_is_bounded(group):
    """Past the family's cap, those that went are added to `other`; of the series themselves none is kept."""
    counter = Counter("c", "Help.", ["l"], registry=group.registry, max_series=3)
    for number in range(10 * _UNREAD):
        counter.labels(number).inc()
        counter.remove(number)
        assert len(counter._all._ended._unread) <= _UNREAD
    found = {s.labels["l"]: s.value for s in group.samples("c_total")}
    assert found == {"0": 1, "1": 1, "2": 1, "other": 10 * _UNREAD - 3}


def test_a_stage_that_is_measured_again_goes_on(group):
    """The errors of a stage are counted by class."""
    for _ in range(3):
        with pytest.raises(KeyError), stage("s", registry=group.registry):
            raise KeyError
    assert group("engine_stage_errors_total") == 3
