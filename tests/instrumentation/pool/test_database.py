"""Pools of connections under the names of OpenTelemetry's conventions: another view, no second measurement."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge

from collected import collect
from manometer import Binding, MetricError, instrument_executor, instrument_pool
from manometer.catalogue import database, pool, spec
from manometer.exposition.render import render
from manometer.instrumentation.pool.database import show
from manometer.instrumentation.subject import Subject
from manometer.processes import Worker, group_registry

SEMCONV = json.loads((Path(__file__).parents[2] / "catalogue" / "semconv.json").read_text())
NINE = {name for name in SEMCONV["metrics"] if name.startswith("db.client.connection.")}
PROMETHEUS = 'db_client_connection_pool_name="orders"'


@pytest.fixture
def engine(figures):
    """A measured pool of at most three connections, of which it keeps two."""
    made = sa.create_engine("sqlite:///:memory:", poolclass=sa.QueuePool, pool_size=2, max_overflow=1, pool_timeout=0)
    yield instrument_pool(made, name="orders", registry=figures.registry)
    Binding.of(made).close()
    made.dispose()


def shown(registry):
    """The lines of these names, without what only says when a series began."""
    text = render(registry)[0].decode()
    return [line for line in text.splitlines() if line.startswith("db_client_") and "_created" not in line]


def as_theirs(registry):
    """The lines of our names of the pool of connections, with their names put in the place of ours."""
    lines = []
    for line in render(registry)[0].decode().splitlines():
        for row in database.SPECS:
            ours = database.VIEW_OF[row.name].prometheus_name
            name = re.match(rf"{ours}(_bucket|_count|_sum)?\{{(.*)\}} ", line)
            if name and 'pool_kind="connection"' in line:
                labels = name[2].replace('pool_kind="connection",', "")
                for theirs, attribute in database.ATTRIBUTES.items():
                    labels = labels.replace(attribute.replace(".", "_"), theirs.replace(".", "_"))
                labels = ",".join(sorted(re.findall(r'\w+="[^"]*"', labels)))
                lines.append(f"{row.prometheus_name}{name[1] or ''}{{{labels}}} {line.rpartition(' ')[2]}")
    return lines


def test_there_are_all_nine_names(figures, engine):
    """A pool that tells everything has each of them; what no pool tells has no series."""
    assert {row.name for row in database.SPECS} == NINE == set(database.VIEW_OF)
    show(figures.registry)
    held = [engine.connect() for _ in range(3)]
    with pytest.raises(sa.exc.TimeoutError):
        engine.connect()
    held.pop().close()
    names = {sample.name for family in collect(figures.registry) for sample in family.samples}
    expected = {row.prometheus_name for row in database.SPECS if row.kind.value != "histogram"}
    assert expected - names == {"db_client_connection_idle_min"}
    assert figures("db_client_connection_count", db_client_connection_state="used") == 2
    assert figures("db_client_connection_count", db_client_connection_state="idle") == 1
    assert figures("db_client_connection_max") == 3
    assert figures("db_client_connection_idle_max") == 2
    assert figures("db_client_connection_pending_requests") == 0
    assert figures("db_client_connection_timeouts_total") == 1
    assert figures("db_client_connection_wait_time_seconds_count") == 4
    assert figures("db_client_connection_use_time_seconds_count") == 1
    assert figures("db_client_connection_create_time_seconds_count") == 3
    for connection in held:
        connection.close()


def test_both_views_say_the_same(figures, engine):
    """Each series of theirs is one of ours by another name; pools of other kinds have none."""
    undo = show(figures.registry)
    with engine.connect(), instrument_executor_of_one(figures):
        lines = shown(figures.registry)
        assert len(lines) > 40
        assert sorted(lines) == sorted(as_theirs(figures.registry))
        assert all(PROMETHEUS in line for line in lines)
    undo()
    assert shown(figures.registry) == []
    assert figures("pool_resources", pool_name="orders", pool_resource_state="idle") == 1


def instrument_executor_of_one(figures):
    """A pool of workers, beside the pool of connections."""
    return instrument_executor(ThreadPoolExecutor(1), name="workers", registry=figures.registry)


def test_a_pool_is_read_once_a_collection(figures):
    """However many names its figures have."""
    readings = []
    with Subject.on(figures.registry, "pool").binding(
        readings, {"pool.name": "p", "pool.kind": "connection"}
    ) as binding:
        binding.pulls(lambda each: each.append(1) or [(pool.PENDING_REQUESTS, {}, len(each))])
    show(figures.registry)
    families = {family.name: family.samples for family in collect(figures.registry)}
    assert len(readings) == 1
    assert [sample.value for sample in families["db_client_connection_pending_requests"]] == [1]
    assert [sample.value for sample in families["pool_pending_requests"]] == [1]


def test_the_names_can_be_asked_for(figures, engine):
    """As Prometheus's `name[]` does."""
    show(figures.registry)
    (family,) = collect(figures.registry, ["db_client_connection_max"])
    assert [(sample.name, sample.value) for sample in family.samples] == [("db_client_connection_max", 3)]


def test_a_name_that_is_taken_is_refused_and_all_stays_as_it_was(figures, engine):
    """By another kit that measures the pools under the convention's names."""
    other = Gauge("db_client_connection_max", "Theirs.", registry=figures.registry)
    with pytest.raises(MetricError, match="the registry has db_client_connection_max already"):
        show(figures.registry)
    assert figures("pool_resource_limit") == 3
    assert len([line for line in shown(figures.registry) if not line.startswith("#")]) == 1
    figures.registry.unregister(other)
    show(figures.registry)
    assert figures("db_client_connection_max") == 3


def test_worker_processes_show_their_sum(tmp_path):
    """As it is with our names: what a process holds goes with it, what happened stays."""
    registries = [CollectorRegistry() for _ in range(2)]
    workers, engines = [], []
    for registry in registries:
        engine = sa.create_engine("sqlite:///:memory:", poolclass=sa.QueuePool, pool_size=2, max_overflow=1)
        engines.append(instrument_pool(engine, name="orders", registry=registry))
        show(registry)
        engine.connect().close()
        workers.append(Worker.of(registry, str(tmp_path)))
        workers[-1].flush()
    group = group_registry(workers[0])
    found = {sample.name: sample.value for family in collect(group) for sample in family.samples}
    assert found["db_client_connection_max"] == 6
    assert found["db_client_connection_wait_time_seconds_count"] == 2
    for worker in workers:
        worker.stop()
    for engine in engines:
        engine.dispose()


def test_the_names_are_shown_until_the_last_who_asked_is_done(figures, engine):
    """As where a program mounts `wsgi_app` and starts a Manometer too, which it closes."""
    first, second = show(figures.registry), show(figures.registry)
    first()
    first()
    assert figures("db_client_connection_max") == 3
    second()
    assert figures("db_client_connection_max") is None


def test_the_lines_that_are_kept_of_our_names_stay(figures, engine):
    """Another scraper's format is the one thing that may take their place."""
    show(figures.registry)
    engine.connect().close()
    for accept in ("", "application/openmetrics-text"):
        render(figures.registry, accept)
    meter = Subject.on(figures.registry, "pool").meters._meters[pool.WAIT_DURATION.name]
    kept = [(name, form.is_openmetrics) for name, *_, form in meter._lines]
    assert kept == [(meter.name, False), (meter.name, True)]


def test_a_pool_bound_anew_under_its_name_counts_once(tmp_path):
    """What the closed binding came to adds up with what its successor counts, at each collection the same."""
    registry = CollectorRegistry()
    show(registry)
    worker = Worker.of(registry, str(tmp_path))
    group = group_registry(worker)
    counts = []
    for _ in range(2):
        engine = sa.create_engine("sqlite:///:memory:", poolclass=sa.QueuePool)
        with Binding.of(instrument_pool(engine, name="orders", registry=registry)):
            for _ in range(4):
                engine.connect().close()
            for _ in range(3):
                found = {sample.name: sample.value for family in collect(group) for sample in family.samples}
                counts.append(found["db_client_connection_wait_time_seconds_count"])
        engine.dispose()
    assert counts == [4, 4, 4, 8, 8, 8]


def test_what_a_view_shows_is_named_in_the_catalogue():
    """So that its rows are found by name where several processes are added up."""
    assert all(spec(row.prometheus_name) is row for row in database.SPECS)
