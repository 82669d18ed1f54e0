"""One guarded reading of a registry."""

import logging

import pytest
from prometheus_client import CollectorRegistry, Metric

from manometer import Counter, Gauge
from manometer.meters import collect
from manometer.meters.kit import Kit


class Raising:
    """A collector that yields one family and then raises."""

    def collect(self):
        yield Metric("half", "Help.", "gauge")
        raise RuntimeError("the backend is gone")


def names(families):
    """The families' names, in order."""
    return [family.name for family in families]


def test_a_collector_that_raises_loses_only_its_own_series(caplog):
    """The failure is logged and counted in the very collection in which it happened."""
    registry = CollectorRegistry()
    Gauge("before", "Help.", registry=registry)
    registry.register(Raising())
    Gauge("after", "Help.", registry=registry)
    with caplog.at_level(logging.ERROR, "manometer"):
        found = collect(registry)
    assert [name for name in names(found) if not name.startswith("manometer")] == ["before", "after"]
    failures = next(family for family in found if family.name == "manometer_collect_failures")
    assert {(s.labels["collector"], s.value) for s in failures.samples if s.name.endswith("_total")} == {
        ("Raising", 1)
    }
    assert "the backend is gone" in caplog.text


def test_a_registry_without_manometer_stays_as_it_was():
    """Collecting a plain registry adds nothing to it."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry)
    assert names(collect(registry)) == ["c"]
    assert Kit.existing(registry) is None


def test_the_kit_tells_the_cost_of_each_collector_and_family():
    """Durations by collector, series by family, read last so that they are of this collection."""
    registry = CollectorRegistry()
    Kit.of(registry)
    Counter("c", "Help.", ["l"], registry=registry).labels("x")
    found = {family.name: family for family in collect(registry)}
    assert [s.labels for s in found["manometer_collect_duration_seconds"].samples] == [{"collector": "Counter"}]
    series = {s.labels["family"]: s.value for s in found["manometer_series"].samples}
    assert series["c"] == len(found["c"].samples)


@pytest.mark.parametrize("wanted", [["c_total"], ["c_total", "nothing"], ["target_info", "c_total"]])
def test_names_restrict_the_collection(wanted):
    """Only samples of those names come back, and only their collectors are asked."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry)
    Gauge("never", "Help.", registry=registry).set_function(lambda: pytest.fail("not asked for"))
    assert [s.name for family in collect(registry, wanted) for s in family.samples] == ["c_total"]


def test_target_info_comes_first():
    """A registry's target info is part of the collection."""
    registry = CollectorRegistry(target_info={"env": "test"})
    Counter("c", "Help.", registry=registry)
    assert names(collect(registry)) == ["target", "c"]
