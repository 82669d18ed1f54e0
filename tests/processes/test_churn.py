"""Series that come and go at random, of families with small caps, against an account of every event."""

import gc
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from collected import collect
from manometer import Counter, Histogram
from manometer.processes import Worker, group_registry, onlooker
from manometer.processes.file_reading import decode

FIGURES = ("c_total", "h_count", "h_sum", "h", "single_total", "theirs_total")


class Theirs(Collector):
    """Another kit's collector: its series are gone without a word, and it fails at times."""

    def __init__(self):
        self.values, self.is_failing = {}, False

    def collect(self):
        if self.is_failing:
            raise OSError
        metric = Metric("theirs", "Help.", "counter")
        metric.samples = [Sample("theirs_total", {"l": name}, value) for name, value in self.values.items()]
        return [metric]


class Member:
    """What a process of a group has: a registry with meters, and a worker for each of the group's directories."""

    def __init__(self, paths, cap):
        self.cap, self.registry = cap, CollectorRegistry()
        self.workers = [Worker.of(self.registry, str(path)) for path in paths]
        self.theirs = Theirs()
        self.registry.register(self.theirs)
        self.make()

    def make(self):
        """New meters, of the same names."""
        self.counter = Counter("c", "Help.", ["l"], registry=self.registry, max_series=self.cap)
        self.histogram = Histogram(
            "h", "Help.", ["l"], registry=self.registry, max_series=self.cap, buckets=(1, 2), native_schema=0
        )
        self.single = Counter("single", "Help.", registry=self.registry)
        self.meters = (self.counter, self.histogram, self.single)

    def do(self, step, label):
        """One step; how many events it counted of each figure."""
        return getattr(self, step)(label) or 0

    def count(self, label):
        """One event of each figure."""
        self.counter.labels(label).inc()
        self.histogram.labels(label).observe(1)
        self.single.inc()
        self.theirs.values[label] = self.theirs.values.get(label, 0) + 1
        return 1

    def remove(self, label):
        """A series goes; a new one may come in its place later."""
        self.counter.remove(label)
        self.histogram.remove(label)

    def clear(self, _):
        """All series go."""
        self.counter.clear()
        self.histogram.clear()

    def replace(self, label):
        """A new series comes in the place of one."""
        self.counter.expose(self.counter.apart((str(label),)))
        self.histogram.expose(self.histogram.apart((str(label),)))

    def reset(self, _):
        """The counters start again."""
        for series in (*self.counter._metrics.values(), self.single):
            series.reset()

    def fail(self, _):
        """The other kit's collector fails from now on, or works again."""
        self.theirs.is_failing = not self.theirs.is_failing

    def away(self, _):
        """All meters are off the registry for a writing."""
        self.flush()
        for meter in self.meters:
            self.registry.unregister(meter)
        self.flush()
        for meter in self.meters:
            self.registry.register(meter)

    def anew(self, _):
        """New meters take the place of all."""
        self.flush()
        for meter in self.meters:
            self.registry.unregister(meter)
        self.make()

    def scrape(self, _):
        """Someone else reads the registry."""
        assert [metric.samples for metric in collect(self.registry)]

    def flush(self):
        """Write the figures to each directory."""
        for worker in self.workers:
            assert worker.flush()

    def end(self):
        """The last writing of a process; its collectors work."""
        self.theirs.is_failing = False
        self.flush()
        for worker in self.workers:
            worker.leave()


def totals(registry):
    """What a group shows, by figure; of a native histogram its count."""
    found = dict.fromkeys(FIGURES, 0.0)
    for metric in collect(registry):
        for sample in metric.samples:
            if sample.name in found:
                native = sample.native_histogram
                found[sample.name] += sample.value if native is None else native.count_value
    return found


RARE = ["remove", "clear", "replace", "reset", "fail", "away", "anew", "scrape", "end"]
STEPS = ["count"] * 6 + ["flush"] * 3 + RARE
SCRIPTS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS), st.integers(0, 6)), max_size=60)


@settings(max_examples=60)
@given(SCRIPTS, st.integers(1, 4))
def test_totals_are_exact_after_each_writing_and_never_fall(script, cap):
    """However few series a family may have, in each of the directories that a process writes to."""
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory, name) for name in ("one", "other")]
        members = [Member(paths, cap) for _ in range(2)]
        shown = [[dict.fromkeys(FIGURES, 0.0)] for _ in paths]
        counted = 0
        for at, step, label in script:
            member = members[at]
            if step == "end":
                member.end()
                members[at] = Member(paths, cap)
            elif step == "flush":
                for each in members:
                    each.flush()
                for path, before in zip(paths, shown, strict=True):
                    found = totals(onlooker(path))
                    assert all(found[name] >= before[-1][name] for name in FIGURES)
                    before.append(found)
                    if not any(each.theirs.is_failing for each in members):
                        assert found == dict.fromkeys(FIGURES, counted)
            else:
                counted += member.do(step, label)
        for member in members:
            member.end()
        for path in paths:
            assert totals(onlooker(path)) == dict.fromkeys(FIGURES, counted)


def test_a_large_family_that_fails_once_comes_back_as_it_was(tmp_path, monkeypatch):
    """Of another kit's collector, also where it has more series than are kept of those that went."""
    monkeypatch.setattr("manometer.processes.resets.SERIES_CAP", 3)
    registry, theirs = CollectorRegistry(), Theirs()
    registry.register(theirs)
    shown = group_registry(Worker.of(registry, str(tmp_path)))
    theirs.values = {f"{number}": 1 for number in range(10)}
    for theirs.is_failing in (False, True, True, False):
        assert totals(shown)["theirs_total"] == 10
    del theirs.values["0"], theirs.values["1"]
    for theirs.is_failing in (False, True, False):
        assert totals(shown)["theirs_total"] == 10


def test_a_dead_meter_leaves_its_totals_and_no_memory(tmp_path):
    """Its family is added to those before, however often a meter of the name is made anew."""
    registry = CollectorRegistry()
    worker = Worker.of(registry, str(tmp_path))
    for number in range(50):
        counter = Counter("c", "Help.", ["l"], registry=registry)
        counter.labels(number % 3).inc()
        worker.flush()
        registry.unregister(counter)
        del counter
    gc.collect()
    shown = group_registry(worker)
    samples = [sample for metric in collect(shown) for sample in metric.samples if sample.name == "c_total"]
    assert [sample.value for sample in samples] == [17, 17, 16]
    (path,) = [each for each in tmp_path.iterdir() if each.name[0].isdigit()]
    told = [family for family in decode(path.read_bytes()).families if family.name == "c"]
    assert sorted(reading.total for family in told for _, reading in family.series) == [16, 17, 17]
