"""One guarded reading of a registry."""

import logging
import threading
from types import SimpleNamespace
from weakref import WeakKeyDictionary

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily

import manometer
from collected import collect
from manometer import Counter, Gauge
from manometer.meters.fork import Forked
from manometer.registry import self_metrics as module
from manometer.registry.self_metrics import SelfMetrics
from waiting import DEADLINE, joined


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
    assert {
        (s.labels["manometer_collector_name"], s.value) for s in failures.samples if s.name.endswith("_total")
    } == {("Raising", 1)}
    assert "the backend is gone" in caplog.text


FULL = "over 10 things fail; further ones are not logged"


class Junk:
    """A collector whose outcome is no family."""

    def __init__(self, *outcome):
        self.outcome = outcome

    def describe(self):
        return [Metric("odd", "Help.", "gauge")]

    def collect(self):
        return self.outcome


@pytest.mark.parametrize("wanted", [[], ["c_total", "odd", "manometer_collect_failures_total"]])
@pytest.mark.parametrize(
    "outcome", [[None], [Metric("odd", "Help.", "gauge"), 3], [type("Half", (), {"name": "half"})]]
)
def test_a_collector_that_yields_junk_loses_only_its_own_series(outcome, wanted):
    """What it yielded is looked at under the same guard."""
    registry = CollectorRegistry()
    registry.register(Junk(*outcome))
    Counter("c", "Help.", registry=registry)
    found = collect(registry, wanted)
    assert "c" in names(found)
    assert "odd" not in names(found)
    assert _failures(found) == {"Junk": 1}


def test_counting_a_failure_never_raises(caplog):
    """Where the program has a metric of one of the kit's names, it keeps it, and its figures."""
    registry = CollectorRegistry()
    prometheus_client.Gauge("manometer_series", "Mine.", registry=registry).set(7)
    registry.register(Raising())
    for _ in range(2):
        found = collect(registry)
        assert [(s.name, s.value) for family in found for s in family.samples] == [("manometer_series", 7)]
    reason = "Duplicated timeseries in CollectorRegistry: {'manometer_series'}"
    assert caplog.messages[0] == f"what Manometer measures of itself is not shown: {reason}"
    assert caplog.text.count("is not shown") == 1
    SelfMetrics.of(registry).failed("no text: \udcff", "family")


def test_a_kit_that_is_there_is_found_while_another_thread_makes_one():
    """A finalizer may ask amid anything."""
    registry = CollectorRegistry()
    kit, found = SelfMetrics.of(registry), []
    asking = threading.Thread(target=lambda: found.append(SelfMetrics.of(registry)), daemon=True)
    with module._lock:
        asking.start()
        joined(asking)
    assert found == [kit]


def test_two_threads_get_the_same_kit(monkeypatch):
    """The one that waited for the other does not make a second one."""
    asked, found = threading.Event(), []

    class Kits(WeakKeyDictionary):
        def get(self, registry):
            kit = super().get(registry)
            asked.set()
            return kit

    monkeypatch.setattr(module, "_beside", Kits())
    registry = CollectorRegistry()
    asking = threading.Thread(target=lambda: found.append(SelfMetrics.of(registry)))
    with module._lock:
        asking.start()
        assert asked.wait(DEADLINE)
        kit = SelfMetrics.of(registry)
    joined(asking)
    assert found == [kit]


def test_a_failure_is_logged_when_it_begins_and_when_it_ends(caplog):
    """A scrape a second must not fill the disk; each failure is counted all the same."""
    caplog.set_level(logging.INFO, "manometer")
    registry = CollectorRegistry()
    turns, works = Junk(), Junk()
    works.describe = list
    registry.register(turns)
    registry.register(works)
    for outcome in ([None], [None], [], [], [None]):
        turns.outcome = outcome
        found = collect(registry)
    assert _failures(found) == {"Junk": 3}
    assert [record.getMessage() for record in caplog.records] == [
        "collector 'Junk' failed; its series are missing until it works again",
        "collector 'Junk' works again",
        "collector 'Junk' failed; its series are missing until it works again",
    ]
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, True]


def test_each_failure_is_logged_once_until_it_ends(caplog):
    """However many collectors fail, and however often; past ten, one line stands for the others."""
    caplog.set_level(logging.INFO)
    registry = CollectorRegistry()
    failing = {f"Failing{number}": type(f"Failing{number}", (Raising,), {}) for number in range(1_000)}
    for kind in failing.values():
        registry.register(kind())
    for _ in range(3):
        families = collect(registry)
    assert sum("failed; its series are missing" in record.message for record in caplog.records) == 10
    assert caplog.messages.count(FULL) == 1
    assert set(_failures(families).values()) == {3.0}
    assert _failures(families).keys() == failing.keys()
    caplog.clear()
    for kind in failing.values():
        kind.collect = lambda self: ()
    for _ in range(3):
        collect(registry)
    assert sum("works again" in record.message for record in caplog.records) == len(caplog.records) == 10


def test_a_thing_that_is_gone_is_not_failing(caplog):
    """Another of its name that fails is logged as the first was; one of another kind is another thing."""
    kit = SelfMetrics.of(CollectorRegistry())
    caplog.set_level(logging.INFO)
    for what in ("pool", "pool", "cache"):
        kit.failed("orders", what)
    kit.gone("orders", "pool")
    for what in ("cache", "pool"):
        kit.failed("orders", what)
    kit.worked("orders", "pool")
    kit.gone("orders", "pool")
    kit.failed("orders", "pool")
    kit.worked("orders", "pool")
    assert [message.partition(";")[0] for message in caplog.messages] == [
        *("pool 'orders' failed", "cache 'orders' failed"),
        *("pool 'orders' failed", "pool 'orders' works again") * 2,
    ]


def _failures(families):
    """The counted failures by collector."""
    return {
        sample.labels["manometer_collector_name"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "manometer_collect_failures_total"
    }


def test_a_registry_without_manometer_stays_as_it_was():
    """Collecting a plain registry adds nothing to it."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry)
    assert names(collect(registry)) == ["c"]
    assert SelfMetrics.existing(registry) is None


def test_costs_are_told_from_the_first_fold_on():
    """The kit's figures are there to be read then."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry, max_series=1)
    counter.labels("x")
    assert names(collect(registry)) == ["c"]
    counter.labels("y")
    assert names(collect(registry)) == [
        *("c", "manometer_label_folds", "manometer_collect_duration_seconds", "manometer_series")
    ]


def test_the_kit_tells_the_cost_of_each_collector_and_family():
    """Durations by collector, series by family, read last so that they are of this collection."""
    registry = CollectorRegistry()
    SelfMetrics.of(registry)
    Counter("c", "Help.", ["l"], registry=registry).labels("x")
    found = {family.name: family for family in collect(registry)}
    assert [s.labels for s in found["manometer_collect_duration_seconds"].samples] == [
        {"manometer_collector_name": "Counter"}
    ]
    series = {s.labels["manometer_family_name"]: s.value for s in found["manometer_series"].samples}
    assert found["c"].family is not None
    assert series["c"] == len(found["c"].samples)


class Sized:
    """A collector that takes two seconds for a family of so many samples, of a name that another may have too."""

    def __init__(self, registry, clock, size):
        self.clock, self.size = clock, size
        registry.register(self)

    def describe(self):
        """Nothing, so that the name is nobody's."""
        return []

    def collect(self):
        """Let the time go on."""
        self.clock.now += 2
        yield GaugeMetricFamily("sized", "Help.", labels=["l"])
        family = GaugeMetricFamily("sized", "Help.", labels=["l"])
        for at in range(self.size):
            family.add_metric([f"{at} of {self.size}"], 1)
        yield family


class Named(Sized):
    """A collector that calls itself otherwise than its class."""

    collector_name = "my own"


@pytest.fixture
def clock(monkeypatch):
    """The seconds that collections go by."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("manometer.registry.collection.perf_counter", lambda: clock.now)
    return clock


def test_costs_of_one_name_add_up(clock):
    """Those of collectors of a class, unless they have names of their own, and those of parts of a family."""
    registry = CollectorRegistry()
    SelfMetrics.of(registry)
    for kind, size in ((Sized, 1), (Named, 10), (Sized, 100)):
        kind(registry, clock, size)
    for _ in range(2):
        found = {family.name: family.samples for family in collect(registry)}
        costs = found["manometer_collect_duration_seconds"]
        assert {s.labels["manometer_collector_name"]: s.value for s in costs} == {"Sized": 4, "my own": 2}
        assert {s.labels["manometer_family_name"]: s.value for s in found["manometer_series"]} == {"sized": 111}


@pytest.mark.parametrize("kit", [manometer, prometheus_client], ids=lambda kit: kit.__name__)
def test_a_metric_that_fails_is_known_by_its_name(kit, caplog):
    """Each is counted and logged by itself, when it begins and when it ends; their time is told by their class."""
    caplog.set_level(logging.INFO, "manometer")
    registry = CollectorRegistry()
    gauges = {name: kit.Gauge(name, "Help.", registry=registry) for name in ("depth", "height", "width")}
    for gauge in gauges.values():
        gauge.set_function(lambda: 1 / 0)
    assert _failures(collect(registry)) == {"depth": 1, "height": 1, "width": 1}
    gauges["height"].set_function(lambda: 1)
    found = collect(registry)
    assert _failures(found) == {"depth": 2, "height": 1, "width": 2}
    assert [message.partition(";")[0] for message in caplog.messages] == [
        *("collector 'depth' failed", "collector 'height' failed", "collector 'width' failed"),
        "collector 'height' works again",
    ]
    costs = next(each for each in found if each.name == "manometer_collect_duration_seconds")
    assert [s.labels for s in costs.samples] == [{"manometer_collector_name": "Gauge"}]


def test_a_metric_that_is_unregistered_fails_no_more(caplog):
    """However many come and go: those that fail later are logged, and one that comes again is logged again."""
    registry = CollectorRegistry()
    steady = Gauge("steady", "Help.", registry=registry)
    steady.set_function(lambda: 1 / 0)
    names = [*(f"short_lived_{number}" for number in range(15)), "short_lived_0"]
    for name in names:
        gauge = Gauge(name, "Help.", registry=registry)
        gauge.set_function(lambda: 1 / 0)
        collect(registry)
        registry.unregister(gauge)
        collect(registry)
    assert [record.args[1] for record in caplog.records] == ["steady", *names]


def test_a_failure_has_the_name_that_the_collector_gives_itself():
    """As its cost has."""
    registry = CollectorRegistry()
    collector = Raising()
    collector.describe = list
    collector.collector_name = "the backend"
    registry.register(collector)
    assert _failures(collect(registry)) == {"the backend": 1}


def test_a_name_that_cannot_be_had_is_the_class():
    """Whatever the program's attribute raises, the failure is told."""

    class Nameless(Raising):
        describe = list
        collector_name = property(lambda self: 1 / 0)

    registry = CollectorRegistry()
    registry.register(Nameless())
    assert _failures(collect(registry)) == {Nameless.__qualname__: 1}


@pytest.mark.parametrize("supported", [True, False])
def test_a_collector_of_no_names_is_asked_for_any(clock, supported):
    """Where the registry supports that, which one of prometheus-client does since 0.25."""
    registry = CollectorRegistry()
    if supported and hasattr(registry, "_collectors_without_names"):
        registry = CollectorRegistry(support_collectors_without_names=True)
    Sized(registry, clock, 2)
    Counter("c", "Help.", registry=registry)
    for wanted in (["sized"], ["c_total"], ["sized", "c_total"]):
        theirs = registry.restricted_registry(wanted).collect()
        assert {each.name: each.samples for each in collect(registry, wanted)} == {
            each.name: each.samples for each in theirs if each.samples
        }


def test_a_forked_child_tells_no_costs_of_its_parent():
    """There are none until its own first collection."""
    registry = CollectorRegistry()
    kit = SelfMetrics.of(registry)
    Counter("c", "Help.", registry=registry)
    collect(registry)
    kit.renew(Forked.AT_ONCE)
    assert names(registry.collect()) == ["c"]
    assert "manometer_series" in names(collect(registry))


def test_a_part_of_the_registry_tells_no_costs_of_its_own(monkeypatch):
    """Neither a whole collection that goes on meanwhile nor a reader of the plain registry gets them."""
    registry = CollectorRegistry()
    kit = SelfMetrics.of(registry)
    for name in ("a", "b", "c"):
        Counter(name, "Help.", registry=registry)

    def told(families):
        return {
            s.labels["manometer_family_name"]
            for family in families
            for s in family.samples
            if s.name == "manometer_series"
        }

    def meanwhile():
        patch.undo()
        collect(registry, ["a_total"])
        return []

    with monkeypatch.context() as patch:
        patch.setattr(kit.spans, "collect", meanwhile)
        assert told(collect(registry)) == {"a", "b", "c"}
    assert told(collect(registry, ["a_total", "manometer_series"])) == {"a", "b", "c"}
    assert told(registry.collect()) == {"a", "b", "c"}


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


def test_a_fold_amid_a_collection_waits_for_nobody():
    """A finalizer or signal handler may fold a label while its own thread holds the registry's lock, a plain one."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["user"], registry=registry, max_series=1)

    def fold():
        with registry._lock:
            counter.labels("a").inc()
            counter.labels("b").inc()

    folding = threading.Thread(target=fold, daemon=True)
    folding.start()
    folding.join(DEADLINE)
    assert not folding.is_alive()
    assert registry.get_sample_value("manometer_label_folds_total", {"manometer_family_name": "c"}) == 1
