"""Connection pools of SQLAlchemy, on a real SQLite database."""

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from manometer import Binding, BindingError, UnsupportedError, instrument_pool
from waiting import joined, until

CONNECTION = {"pool": "orders", "kind": "connection"}


@pytest.fixture
def url(tmp_path):
    """The URL of an empty database."""
    return f"sqlite:///{tmp_path / 'book.db'}"


@pytest.fixture
def create():
    """Makes engines or pools, and closes their connections after the test."""
    made = []

    def make(function, *arguments, **options):
        made.append(function(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.dispose()


@pytest.fixture
def engine(figures, url, create):
    """An instrumented engine of at most two connections."""
    made = create(sa.create_engine, url, pool_size=1, max_overflow=1, pool_timeout=0.05)
    return instrument_pool(made, name="orders", registry=figures.registry)


def test_resources_are_read_off_the_pool(figures, engine):
    """Used, idle and limit are right at every moment, and a detached connection is used no more."""

    def resources():
        return figures.all("pool_resources", "state")

    assert resources() == {"used": 0, "idle": 0}
    with engine.connect():
        assert resources() == {"used": 1, "idle": 0}
    assert resources() == {"used": 0, "idle": 1}
    detached = engine.raw_connection()
    detached.detach()
    detached.close()
    assert resources()["used"] == 0
    assert figures("pool_resources_limit", **CONNECTION) == 2


def test_acquisitions_tell_reuse_from_creation(figures, engine):
    """The first request opens a connection, the next two use it again."""
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(sa.text("select 1"))
    assert figures.all("pool_acquisitions_total", "source") == {"created": 1, "reused": 2}
    for name in ("wait", "use"):
        assert figures(f"pool_{name}_duration_seconds_count", **CONNECTION) == 3
    assert figures("pool_create_duration_seconds_count", **CONNECTION) == 1


def test_a_request_in_vain_is_a_timeout(figures, engine):
    """The program gets SQLAlchemy's own error; the wait is counted too."""
    with engine.connect(), engine.connect(), pytest.raises(sa.exc.TimeoutError):
        engine.connect()
    assert figures("pool_timeouts_total", **CONNECTION) == 1
    assert figures("pool_wait_duration_seconds_count", **CONNECTION) == 3


def test_those_who_wait_are_pending(figures, url, create):
    """A request that waits for a connection shows while it waits."""
    engine = create(sa.create_engine, url, pool_size=1, max_overflow=0)
    instrument_pool(engine, name="orders", registry=figures.registry)
    holder = engine.connect()
    waiter = threading.Thread(target=lambda: engine.connect().close())
    waiter.start()
    until(lambda: figures("pool_pending_requests", **CONNECTION) == 1)
    holder.close()
    joined(waiter)
    assert figures("pool_pending_requests", **CONNECTION) == 0


def test_a_disposed_engine_stays_measured(figures, engine):
    """`dispose` gives the engine a new pool; the figures go on, and closing reaches the new one."""
    engine.connect().close()
    engine.dispose()
    engine.connect().close()
    assert figures.all("pool_acquisitions_total", "source") == {"created": 2, "reused": 0}
    assert figures("pool_create_duration_seconds_count", **CONNECTION) == 2
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 2
    Binding.of(engine).close()
    assert type(engine.pool) is QueuePool
    engine.connect().close()
    assert figures("pool_acquisitions_total", **CONNECTION) is None


def test_an_invalidated_connection_is_replaced_and_counted(figures, engine):
    """A connection found broken is opened anew within the request."""
    with engine.connect() as connection:
        connection.invalidate()
    engine.connect().close()
    assert figures.all("pool_acquisitions_total", "source") == {"created": 2, "reused": 0}


def test_a_database_that_is_down_counts_no_acquisition(figures, tmp_path):
    """The program gets its own error; nothing was handed out."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/missing/book.db")
    instrument_pool(engine, name="orders", registry=figures.registry)
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()
    assert figures.all("pool_acquisitions_total", "source") == {"created": 0, "reused": 0}
    assert figures("pool_pending_requests", **CONNECTION) == 0


@pytest.mark.parametrize("pool", [NullPool, StaticPool])
def test_a_pool_that_knows_no_sizes_shows_none(figures, url, create, pool):
    """No figure is made up: such pools have requests and uses, but no resources."""
    engine = create(sa.create_engine, url, poolclass=pool)
    instrument_pool(engine, name="orders", registry=figures.registry)
    engine.connect().close()
    assert figures.all("pool_resources", "state") == {}
    assert figures("pool_resources_limit") is None
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 1


def test_an_unlimited_pool_has_no_limit(figures, url, create):
    """An overflow of -1 stands for no limit."""
    engine = create(sa.create_engine, url, max_overflow=-1)
    instrument_pool(engine, name="orders", registry=figures.registry)
    assert figures("pool_resources_limit") is None
    assert figures("pool_resources", state="used") == 0


def test_a_pool_on_its_own_is_measured(figures, create):
    """A pool without an engine, around any function that opens a connection."""
    import sqlite3

    pool = create(QueuePool, lambda: sqlite3.connect(":memory:"), pool_size=3, max_overflow=0)
    assert instrument_pool(pool, name="orders", registry=figures.registry) is pool
    pool.connect().close()
    assert figures("pool_create_duration_seconds_count") == 1
    assert figures("pool_resources_limit") == 3


def test_something_else_of_sqlalchemy_is_refused(figures):
    """A metadata object has no connections."""
    with pytest.raises(UnsupportedError, match="pass an Engine"):
        instrument_pool(sa.MetaData(), name="orders", registry=figures.registry)


def test_a_pool_is_not_measured_twice_under_two_objects(figures, engine):
    """The engine's pool is the engine's: two bindings of it would count each request twice."""
    with pytest.raises(BindingError, match="already bound"):
        instrument_pool(engine.pool, name="again", registry=figures.registry)


def test_an_engine_measured_again_loses_no_figure(figures, engine):
    """Closing takes the listeners off, and those of the next binding find their own times."""
    engine.connect().close()
    Binding.of(engine).close()
    instrument_pool(engine, name="orders", registry=figures.registry)
    for _ in range(5):
        engine.connect().close()
    assert figures("pool_wait_duration_seconds_count", **CONNECTION) == 5
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 5
