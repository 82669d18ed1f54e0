"""What several processes come to together: as prometheus-client has it where it knows the thing, and exact."""

import math
import tempfile
from fractions import Fraction

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric, Summary
from prometheus_client.core import GaugeHistogramMetricFamily, InfoMetricFamily, SummaryMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp
from prometheus_client.values import MultiProcessValue

import manometer
from collected import collect
from manometer.meters.family import Family, Group
from manometer.meters.readings import GaugeReading, HistogramReading
from manometer.processes.file_reading import decode
from manometer.processes.file_writing import encode
from manometer.processes.merge import Merge
from manometer.processes.merge_modes import by_itself, merge_mode
from manometer.processes.resets import Resets
from manometer.processes.snapshot import Process, Snapshot, shared
from manometer.registry import collection

MODES = ("all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum", "mostrecent", "livemostrecent")
AMOUNTS = st.integers(-400, 400).map(lambda quarters: quarters / 4)  # whose sums are exact in any order


def snapshot(registry, pid, now=1.0, **changes):
    """What a process with that registry tells, by way of its file."""
    families = [shared(found, mode_of(registry, found), now) for found in collection.collect(registry)]
    return decode(encode(Snapshot(Process(pid), families)))._replace(**changes)


def mode_of(registry, found):
    """How the family of several processes becomes one."""
    return merge_mode(registry, found.name, getattr(found, "kind", None) or found.type)


def merged(*snapshots):
    """The families that they come to."""
    totals = Merge()
    for each in snapshots:
        totals.add(each)
    return totals.metrics()


def values(metrics):
    """The samples but those of creation, by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in metrics
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def process(kit, registry):
    """The metrics of one process, some under names beyond the classic alphabet."""
    return {
        "c": kit.Counter('c.\n"ü"', "Help.", ["l.ä"], registry=registry, unit="m/s"),
        "h": kit.Histogram("h.日本", "Help.", ['"%s"'], registry=registry, buckets=(-1, 0, 2.5, 10)),
        "plain": kit.Histogram("plain", "Help.", registry=registry, buckets=(1, 2)),
        **{mode: kit.Gauge(f"g_{mode}", "Help.", ["l"], registry=registry, multiprocess_mode=mode) for mode in MODES},
    }


def write(metrics, name, label, amount):
    """One event, in the way of the metric."""
    if name == "c":
        metrics[name].labels(label).inc(abs(amount))
    elif name == "h":
        metrics[name].labels(label).observe(amount)
    elif name == "plain":
        metrics[name].observe(amount)
    else:
        metrics[name].labels(label).set(amount)


EVENTS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(["c", "h", "plain", *MODES]), st.sampled_from("xy"), AMOUNTS),
    max_size=60,
)


@settings(max_examples=50)
@given(EVENTS)
def test_processes_come_to_what_prometheus_client_makes_of_them(events):
    """Counters, histograms and gauges of every mode, over any sequence of events in three processes."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMETHEUS_MULTIPROC_DIR", directory)
        theirs = {}
        for pid in (1, 2, 3):
            patch.setattr("prometheus_client.values.ValueClass", MultiProcessValue(lambda pid=pid: pid))
            theirs[pid] = process(prometheus_client, CollectorRegistry())
        by_pid = {}
        for pid, name, label, amount in events:
            # A child's value is made on the first use of its labels, in the files of its process.
            patch.setattr("prometheus_client.values.ValueClass", by_pid.setdefault(pid, _value_class(theirs[pid])))
            write(theirs[pid], name, label, amount)
        expected = values(MultiProcessCollector(None, directory).collect())
        close_theirs()
    registries = {pid: CollectorRegistry() for pid in (1, 2, 3)}
    ours = {pid: process(manometer, registry) for pid, registry in registries.items()}
    for pid, name, label, amount in events:
        write(ours[pid], name, label, amount)
    found = values(merged(*(snapshot(registry, pid) for pid, registry in registries.items())))
    # prometheus-client exposes the sum of a histogram with negative buckets in this mode, and in no other.
    assert found == {key: value for key, value in expected.items() if key[0] != "h.日本_sum"}


def close_theirs():
    """Close the files that prometheus-client keeps open; before 0.26 the garbage collector does."""
    getattr(prometheus_client.values, "close_all_multiprocess_files", list)()


def _value_class(metrics):
    return type(metrics["plain"]._sum)


FLOATS = st.floats(0, 1e9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), FLOATS), max_size=40), st.data())
def test_a_sum_is_exact_whoever_has_ended_when(events, data):
    """However processes end and are added to those before, the total is the true sum rounded once: it never falls."""
    totals, ended = [0.0] * 4, Snapshot(Process(0), [], alive=False)
    shown = 0.0
    true = Fraction(0)
    for process, amount in events:
        before = totals[process]
        totals[process] += amount
        true += Fraction(totals[process]) - Fraction(before)
        if data.draw(st.booleans()):  # the process ends, and another takes its place
            past = Merge()
            past.add(ended)
            past.add(_counted(totals[process], alive=False))
            ended = decode(encode(Snapshot(Process(0), past.families())))._replace(alive=False)
            totals[process] = 0.0
        now = values(merged(*map(_counted, totals), ended))["c_total",]
        assert now == float(true)
        assert now >= shown
        shown = now


def _counted(total, alive=True):
    metric = Metric("c", "Help.", "counter")
    metric.samples = [Sample("c_total", {}, total)]
    return Snapshot(Process(1), [shared(metric, "sum", 1.0)], alive)


def test_infinities_and_what_is_no_number_add_up():
    """What a float can hold comes out as a float's sum does."""
    past = Merge()
    for total in (math.inf, 1.5):
        past.add(_counted(total))
    assert values(merged(Snapshot(Process(0), past.families()), _counted(1)))["c_total",] == math.inf
    past.add(_counted(-math.inf))
    assert math.isnan(values(merged(Snapshot(Process(0), past.families())))["c_total",])
    assert values(merged(_counted(1.7e308), _counted(1.7e308), _counted(-1.7e308)))["c_total",] in (1.7e308, math.inf)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (f"{live}{mode}", expected)
        for live in ("", "live")
        for mode, expected in {"min": [1], "max": [5], "sum": [9], "mostrecent": [3], "all": [5, 1, 3]}.items()
    ],
)
@pytest.mark.parametrize("tells_time", [False, True])
def test_a_gauge_s_mode_says_what_its_processes_come_to(mode, expected, tells_time):
    """Whoever comes first. Of a gauge that does not tell when it was set, the last collection counts."""

    def told(pid, amount, set_at):
        group = Group((), [((), GaugeReading(amount, set_at if tells_time else None))])
        gauge = Family("g", "gauge", "Help.", "", [group])
        return Snapshot(Process(pid), [shared(gauge, mode, 100.0 - set_at if tells_time else set_at)])

    parts = [told(1, 5, 10.0), told(2, 1, 20.0), told(3, 3, 30.0)]
    for order in (parts, parts[::-1], parts[1:] + parts[:1]):
        found = values(merged(*order))
        assert sorted(found.values()) == sorted(expected)
        assert sorted(found) == ([("g", ("pid", str(pid))) for pid in (1, 2, 3)] if "all" in mode else [("g",)])


@pytest.mark.parametrize("mode", ["mostrecent", "livemostrecent", "max", "livemax"])
def test_of_a_total_the_greatest_is_the_most_recent(mode):
    """As of what a host has counted since it started, which each process tells at a time of its own."""
    registry = CollectorRegistry()
    counter = manometer.Counter("c", "Help.", registry=registry)
    told = []
    for _ in range(3):
        counter.inc(0.1)
        told.append(Snapshot(Process(1), [shared(counter.family(), mode, 1.0)]))
    for order in (told, told[::-1], told[1:] + told[:1]):
        assert values(merged(*order)) == {("c_total",): counter.value}


def test_what_is_of_a_process_alone_goes_with_it():
    """Sums stay, and gauges that say so; a gauge by pid, a live one and the host's figures do not."""
    registry = CollectorRegistry()
    metrics = process(manometer, registry)
    for name in metrics:
        write(metrics, name, "x", 2)
    counter, histogram = metrics["c"].name, metrics["h"].name
    found = {key[0] for key in values(merged(snapshot(registry, 7, alive=False)))}
    histograms = {f"{name}_{part}" for name in (histogram, "plain") for part in ("bucket", "count")}
    assert found == {f"{counter}_total", "plain_sum", "g_min", "g_max", "g_sum", "g_mostrecent"} | histograms


def test_creation_is_the_earliest_and_an_exemplar_the_latest():
    """Both are kept, over the end of a process too."""

    def told(pid, created, seen, alive=True):
        metric = Metric("c", "Help.", "counter")
        metric.samples = [
            Sample("c_total", {}, 1.0, None, Exemplar({"trace_id": f"of {pid}"}, 1.0, seen)),
            Sample("c_created", {}, created),
        ]
        return Snapshot(Process(pid), [shared(metric, "sum", 1.0)], alive)

    past = Merge()
    for each in (told(1, 50.0, 300.0, False), told(2, 60.0, 200.0, False)):
        past.add(each)
    (metric,) = merged(told(3, 70.0, 100.0), decode(encode(Snapshot(Process(0), past.families()))))
    total, created = metric.samples
    assert (total.value, created.value) == (3, 50.0)
    assert total.exemplar == Exemplar({"trace_id": "of 1"}, 1.0, 300.0)


@pytest.mark.parametrize(
    "settings", [{"buckets": (1, 2)}, {"buckets": (-1, 2)}, {"buckets": (1, 2), "native_schema": 3}]
)
def test_one_process_in_a_group_shows_what_it_would_show_alone(settings):
    """To the last exemplar and creation time, through a file."""
    registry = CollectorRegistry()
    counter = manometer.Counter("c", "Help.", ["l"], registry=registry, unit="bytes")
    histogram = manometer.Histogram("h", "Help.", ["l"], registry=registry, **settings)
    for label in "xy":
        counter.labels(label).inc(2, {"trace_id": label})
        for amount in (0.5, 1.5, 2.5, -3):
            histogram.labels(label).observe(amount, {"trace_id": f"{label} {amount}"})
    manometer.Gauge("g", "Help.", registry=registry, multiprocess_mode="sum").set(4)

    def told(metrics):
        return {
            (
                metric.name,
                metric.type,
                metric.documentation,
                metric.unit,
                sample.name,
                *sorted(sample.labels.items()),
            ): (sample[2:])
            for metric in metrics
            for sample in metric.samples
        }

    assert told(merged(snapshot(registry, 1))) == told(collect(registry))


def test_only_the_creation_time_of_a_series_is_the_earliest():
    """A sample that is named like one is a value like others: a gauge's, one that has no kind, another family's."""

    def told(pid, amount, alive=True):
        registry = CollectorRegistry()
        manometer.Gauge("jobs_created", "Help.", registry=registry, multiprocess_mode="sum").set(amount)
        manometer.Counter("files_created", "Help.", registry=registry).inc(amount)
        foreign = Metric("rows_created", "Help.", "unknown")
        foreign.samples = [Sample("rows_created", {}, amount)]
        other = Metric("cells", "Help.", "unknown")
        other.samples = [Sample("cells_created", {}, amount)]
        extra = Snapshot(Process(pid), [shared(each, "sum", 1.0) for each in (foreign, other)])
        both = snapshot(registry, pid).families + decode(encode(extra)).families
        return Snapshot(Process(pid), both, alive)

    past = Merge()
    for each in (told(1, 3, alive=False), told(2, 4, alive=False)):
        past.add(each)
    found = {
        sample.name: sample.value
        for metric in merged(told(3, 5), decode(encode(Snapshot(Process(0), past.families()))))
        for sample in metric.samples
    }
    for name in ("jobs_created", "files_created_total", "rows_created", "cells_created"):
        assert found[name] == 12
    assert found["files_created_created"] > 1e9


def test_histograms_whose_buckets_were_changed_add_up():
    """Each bucket holds what is known to be within it, and the last one all."""

    def told(*bounds):
        registry = CollectorRegistry()
        histogram = manometer.Histogram("h", "Help.", registry=registry, buckets=bounds)
        for amount in (0.5, 1.5, 2.5, 3.5):
            histogram.observe(amount)
        return snapshot(registry, 1)

    found = values(merged(told(1, 2), told(2, 3), told(1, 2)))
    buckets = {dict(key[1:])["le"]: value for key, value in found.items() if key[0] == "h_bucket"}
    assert buckets == {"1.0": 2, "2.0": 6, "3.0": 7, "+Inf": 12}
    assert found["h_count",] == 12
    assert found["h_sum",] == 24


def test_samples_that_some_processes_do_not_tell_add_up():
    """As by another version of a library: the earliest creation that is told counts, and a missing value is 0."""

    def told(*samples):
        metric = Metric("s", "Help.", "summary")
        metric.samples = [Sample(name, {}, amount) for name, amount in samples]
        return Snapshot(Process(1), [shared(metric, "sum", 1.0)])

    parts = [told(("s_count", 2.0), ("s_created", 50.0)), told(("s_sum", 7.0), ("s_count", 3.0))]
    for order in (parts, parts[::-1], [*parts, told(("s_created", 60.0))]):
        (metric,) = merged(*order)
        assert {sample.name: sample.value for sample in metric.samples} == {
            "s_count": 5,
            "s_created": 50,
            "s_sum": 7,
        }


def test_series_of_one_collector_may_differ_in_their_samples():
    """As of a summary of which one has not been observed."""
    metric = Metric("s", "Help.", "summary")
    for name, label in (("s_count", "x"), ("s_count", "y"), ("s_sum", "y"), ("s_sum", "z"), ("s_count", "a")):
        metric.add_sample(name, {"l": label}, 2.0)
    assert values(merged(Snapshot(Process(1), [shared(metric, "sum", 1.0)]))) == values([metric])


def test_a_series_may_be_collected_by_itself():
    """It has no labels then."""
    series = manometer.Counter("c", "Help.", ["l"], registry=None).labels("x")
    series.inc(2)
    families = [shared(metric, "sum", 1.0) for metric in series.collect()]
    assert values(merged(Snapshot(Process(1), families))) == {("c_total",): 2}


def test_a_bucket_s_bound_may_stand_anywhere_among_its_labels():
    """It is none of those that tell one series from another."""
    metric = Metric("h", "Help.", "histogram")
    for labels in (
        {"le": "1", "a": "x", "b": "y"},
        {"a": "x", "le": "2", "b": "y"},
        {"a": "x", "b": "y", "le": "+Inf"},
    ):
        metric.add_sample("h_bucket", labels, 2.0)
    metric.add_sample("h_count", {"a": "x", "b": "y"}, 2.0)
    told = shared(metric, "sum", 1.0)
    assert [(group.labelnames, len(group.series)) for group in told.groups] == [(("a", "b"), 1)]
    assert values(merged(Snapshot(Process(1), [told]))) == values([metric])


def test_a_label_pid_of_the_program_s_own_stays():
    """As of a gauge that is about other processes."""
    metric = Metric("g", "Help.", "gauge")
    metric.samples = [Sample("g", {"pid": "7"}, 2.0)]
    found = merged(*(Snapshot(Process(pid), [shared(metric, "max", 1.0)]) for pid in (1, 2)))
    assert values(found) == {("g", ("pid", "7")): 2}
    found = merged(Snapshot(Process(1), [shared(metric, "all", 1.0)]))
    assert values(found) == {("g", ("pid", "7")): 2}


def test_a_gauge_that_was_never_set_has_no_most_recent_value():
    """Its other series have."""
    registry = CollectorRegistry()
    gauge = manometer.Gauge("g", "Help.", ["l"], registry=registry, multiprocess_mode="mostrecent")
    for label in "xyz":
        gauge.labels(label)
    gauge.labels("y").set(5)
    assert values(merged(snapshot(registry, 1))) == {("g", ("l", "y")): 5}


def test_series_of_a_family_may_differ_in_all_but_its_name():
    """In their samples, their labels, and the way they add up; over the end of their processes too."""
    parts = []
    for mode, labels, names in (
        ("sum", {"l": "x"}, ["s_count"]),
        ("sum", {"l": "y"}, ["s_count", "s_sum"]),
        ("sum", {"m": "x"}, ["s_count"]),
        ("sum", {}, ["s_count"]),
        ("max", {"l": "z"}, ["s_count"]),
    ):
        metric = Metric("s", "Help.", "summary")
        for name in names:
            metric.add_sample(name, labels, 2.0)
        parts += [Snapshot(Process(1), [shared(metric, mode, 1.0)])] * 2
    past = Merge()
    for each in parts:
        past.add(each)
    expected = {
        ("s_count", ("l", "x")): 4,
        ("s_count", ("l", "y")): 4,
        ("s_sum", ("l", "y")): 4,
        ("s_count", ("m", "x")): 4,
        ("s_count",): 4,
        ("s_count", ("l", "z")): 2,
    }
    assert values(merged(*parts)) == expected
    assert values(merged(decode(encode(Snapshot(Process(0), past.families()))))) == expected


OBSERVATIONS = st.lists(st.tuples(st.integers(0, 2), AMOUNTS, st.sampled_from(["", "ends", "resets"])), max_size=80)


@settings(max_examples=80)
@given(OBSERVATIONS, st.integers(-4, 8), st.integers(1, 40))
def test_native_histograms_come_to_what_one_process_would_have_counted(events, schema, limit):
    """Whoever observes what, ends or starts again in between: down to the schema and the spans."""

    def begun():
        registry = CollectorRegistry()
        settings = {"native_schema": schema, "max_native_buckets": limit}
        return (
            registry,
            manometer.Histogram("h", "Help.", registry=registry, buckets=(1, 2), **settings),
            Resets(),
        )

    def told(registry, _, continuity, alive=True):
        families = [shared(found, "sum", 1.0) for found in collection.collect(registry)]
        return decode(encode(Snapshot(Process(1), families + continuity.besides(families, 1.0))))._replace(
            alive=alive
        )

    processes, ended = [begun() for _ in range(3)], Snapshot(Process(0), [], alive=False)
    single, one, _ = begun()
    for at, amount, end in events:
        for histogram in (processes[at][1], one):
            histogram.observe(amount)
        if end == "ends":
            past = Merge()
            for each in (ended, told(*processes[at], alive=False)):
                past.add(each)
            ended = decode(encode(Snapshot(Process(0), past.families())))._replace(alive=False)
            processes[at] = begun()
        elif end == "resets":
            told(*processes[at])
            processes[at][1].renew()
    (found,) = merged(ended, *(told(*process) for process in processes))
    (expected,) = collect(single)
    assert [s for s in found.samples if s.name != "h_created"] == [
        s for s in expected.samples if s.name != "h_created"
    ]


def test_a_family_that_cannot_be_made_loses_only_itself():
    """As one whose name this process does not allow; whoever asks hears of it, or has the exception."""
    group = Group((), [((), GaugeReading(1.0))], merge_mode="max")
    nameless, good = (Family(name, "gauge", "Help.", "", [group]) for name in ("", "g"))
    totals = Merge()
    totals.add(Snapshot(Process(1), [nameless, good]))
    failed = []
    assert [metric.name for metric in totals.metrics(failed.append)] == ["g"]
    assert failed == [""]
    with pytest.raises(ValueError, match="name"):
        totals.metrics()


@pytest.mark.parametrize(
    "parts",
    [
        [(1, 2)],
        [(1, 2), (1, 2, 3)],
        [(1, 2), (1, 2)],
        [(1, 2, 3, 4, 5)],
        [()],
        [(), (1, 2, 3)],
    ],
)
def test_other_numbers_of_counts_than_there_are_buckets_are_no_figures(parts):
    """They are refused, and not shown as far as they go, or as those of other buckets."""
    totals = Merge()
    for pid, running in enumerate(parts):
        group = Group((), [((), HistogramReading(running))], ("1.0", "2.0", "+Inf"), merge_mode="sum")
        totals.add(Snapshot(Process(pid), [Family("h", "histogram", "Help.", "", [group])]))
    with pytest.raises(ValueError, match="counts"):
        totals.metrics()


def test_any_collector_s_families_are_shown():
    """Summaries, infos and gauge histograms; what has no known way is shown by process."""
    info = InfoMetricFamily("build", "Help.", {"version": "1"})
    summary = SummaryMetricFamily("s", "Help.", 3, 4.5)
    summary.add_sample("s", {"quantile": "0.5"}, 1.25)
    gauges = GaugeHistogramMetricFamily("gh", "Help.", [("1", 2.0), ("+Inf", 3.0)], 4.0)
    unknown = Metric("u", "Help.", "unknown")
    unknown.samples = [Sample("u", {}, 8)]

    class Foreign:
        def collect(self):
            return [info, summary, gauges, unknown]

    registry = CollectorRegistry()
    registry.register(Foreign())
    Summary("t", "Help.", registry=registry).observe(2)
    found = values(merged(snapshot(registry, 1), snapshot(registry, 2)))
    assert found == {
        ("build_info", ("version", "1")): 1,
        ("s_count",): 6,
        ("s_sum",): 9,
        ("s", ("pid", "1"), ("quantile", "0.5")): 1.25,
        ("s", ("pid", "2"), ("quantile", "0.5")): 1.25,
        ("gh_bucket", ("le", "1")): 4,
        ("gh_bucket", ("le", "+Inf")): 6,
        ("gh_gcount",): 6,
        ("gh_gsum",): 8,
        ("u", ("pid", "1")): 8,
        ("u", ("pid", "2")): 8,
        ("t_count",): 2,
        ("t_sum",): 4,
    }


@pytest.mark.parametrize(("kind", "ended"), [("histogram", 3), ("gaugehistogram", 0)])
def test_another_kit_s_native_histograms_add_up(kind, ended):
    """A gauge's as a counter's, broken counts as whole ones; but a gauge's goes with its process."""

    def told(pid, threshold, alive=True):
        seen = Timestamp(pid, 0)
        exemplar = Exemplar({"trace_id": f"of {pid}"}, 1.5, seen)
        found = NativeHistogram(
            3.5, Fraction(9, 4), 0, threshold, 1, [BucketSpan(1, 1)], None, [2.5], None, [exemplar]
        )
        metric = Metric("h", "Help.", kind)
        metric.samples = [Sample("h", {"l": "x"}, 0.0, seen, None, found)]
        registry = CollectorRegistry()
        return Snapshot(Process(pid), [shared(metric, merge_mode(registry, metric.name, metric.type), 1.0)], alive)

    parts = [told(1, 0.5), told(2, 0.25), told(3, 0.0, alive=False)]
    live = 2 if ended == 0 else 3
    for snapshots in (parts, [decode(encode(each))._replace(alive=each.alive) for each in parts]):
        ((sample,),) = [metric.samples for metric in merged(*snapshots)]
        assert sample.labels == {"l": "x"}
        assert sample.native_histogram == NativeHistogram(
            live * 3.5, live * 2.25, 0, 0.5, live, [BucketSpan(1, 1)], [], [live * 2.5], [],
            [Exemplar({"trace_id": f"of {live}"}, 1.5, float(live))],
        )  # fmt: skip


def test_another_kit_s_exemplars_are_shown_where_an_exposition_may_have_them():
    """At buckets and at a counter's total."""
    exemplar = Exemplar({"trace_id": "x"}, 1.0, 5.0)
    histogram, counter = Metric("h", "Help.", "histogram"), Metric("c", "Help.", "counter")
    for metric, name, labels in (
        (histogram, "h_bucket", {"le": "+Inf"}),
        (histogram, "h_count", {}),
        (counter, "c_total", {}),
        (counter, "c_created", {}),
    ):
        metric.add_sample(name, labels, 1.0, exemplar=exemplar)
    families = [shared(metric, "sum", 1.0) for metric in (histogram, counter)]
    found = {s.name: s.exemplar for metric in merged(Snapshot(Process(1), families)) for s in metric.samples}
    assert found == {"h_bucket": exemplar, "h_count": None, "c_total": exemplar, "c_created": None}


def test_another_kit_s_native_histogram_keeps_its_buckets_however_many():
    """It is written as it is, and not at a lower resolution; a sum of two has as many as the larger."""

    def told(first, count):
        found = NativeHistogram(count, 0.0, 3, 0.0, 0, [BucketSpan(first, count)], None, [1] + [0] * (count - 1))
        metric = Metric("h", "Help.", "histogram")
        metric.samples = [Sample("h", {}, 0.0, None, None, found)]
        return decode(encode(Snapshot(Process(1), [shared(metric, "sum", 1.0)])))

    for parts in ([told(0, 500)], [told(0, 500), told(0, 100)], [told(0, 100), told(0, 500)]):
        (((sample,),),) = [[metric.samples] for metric in merged(*parts)]
        assert sample.native_histogram.schema == 3
        assert sample.native_histogram.pos_spans == [BucketSpan(0, 500)]


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("cache_entries", "gauge", "livesum"),
        ("pool_resource_limit", "gauge", "livesum"),
        ("engine_stage_active", "gauge", "livesum"),
        ("breaker_state", "gauge", "livemax"),
        ("health_check_up", "gauge", "livemin"),
        ("health_check_age_seconds", "gauge", "livemax"),
        ("system_memory_usage_bytes", "gauge", "livemostrecent"),
        ("system_cpu_time_seconds", "counter", "livemostrecent"),
        ("cache_requests", "counter", "sum"),
        ("pool_wait_duration_seconds", "histogram", "sum"),
        ("process_resident_memory_bytes", "gauge", "liveall"),
        ("process_cpu_seconds", "counter", "liveall"),
        ("python_info", "gauge", "livemax"),
        ("somebody_s", "gauge", "liveall"),
        ("somebody_s", "counter", "sum"),
    ],
)
def test_each_family_has_a_way_that_makes_sense(name, kind, mode):
    """What each has of its own adds up, the host is one, a state is as bad as the worst."""
    assert merge_mode(CollectorRegistry(), name, kind) == mode


@pytest.mark.parametrize(
    ("name", "grows"),
    [
        ("process_cpu_seconds", True),
        ("python_gc_objects_collected", True),
        ("system_cpu_time_seconds", True),
        ("health_check_duration_seconds", True),
        ("manometer_collect_failures", True),
        ("cache_requests", False),
        ("somebody_s_process_seconds", False),
    ],
)
def test_some_families_grow_in_a_process_that_does_nothing(name, grows):
    """They are of the process, the host or the kit: no sign that the process serves anyone."""
    assert by_itself(name) == grows


def test_a_gauge_of_prometheus_client_says_its_way_itself():
    """It need not be in files of its own for that."""
    registry = CollectorRegistry()
    prometheus_client.Gauge("g", "Help.", registry=registry, multiprocess_mode="max")
    assert merge_mode(registry, "g", "gauge") == "max"


def test_labels_may_come_in_any_order():
    """Processes of different versions name the same series."""

    def told(*labels):
        metric = Metric("c", "Help.", "counter")
        metric.samples = [Sample("c_total", dict(labels), 1.0)]
        return Snapshot(Process(1), [shared(metric, "sum", 1.0)])

    found = values(merged(told(("a", "1"), ("b", "2")), told(("b", "2"), ("a", "1"))))
    assert found == {("c_total", ("a", "1"), ("b", "2")): 2}


def test_a_family_whose_kind_was_changed_is_of_the_first_kind_met():
    """There are never two of a name in an exposition; that of the other kind is kept with those that ended."""
    gauge = Metric("c", "Help.", "gauge")
    gauge.samples = [Sample("c", {}, 5.0)]
    other = Snapshot(Process(2), [shared(gauge, "sum", 1.0)])
    assert [metric.type for metric in merged(_counted(1), other)] == ["counter"]
    past = Merge()
    for each in (_counted(1), other):
        past.add(each)
    assert values(merged(other, Snapshot(Process(0), past.families()))) == {("c",): 10}


def test_series_past_the_cap_are_added_to_other():
    """Those that ended keep a bounded number of series, and lose nothing of the sum."""
    folded = []
    past = Merge(3, folded.append)
    for user in [*range(10), *range(10)]:
        metric = Metric("c", "Help.", "counter")
        metric.samples = [Sample("c_total", {"user": str(user)}, 1.0)]
        past.add(Snapshot(Process(user), [shared(metric, "sum", 1.0)], alive=False))
    found = {key[1][1]: value for key, value in values(past.metrics()).items()}
    assert found == {"0": 2, "1": 2, "2": 2, "other": 14}
    assert folded == ["c"] * 14
