"""Connection pools of SQLAlchemy, on a real SQLite database."""

import gc
import sqlite3
import threading
import weakref

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import AssertionPool, AsyncAdaptedQueuePool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from manometer import Binding, BindingError, UnsupportedError, instrument_pool
from manometer.instrumentation.clock import measure_by
from manometer.testing import Figures, ManualClock
from waiting import joined, until

CONNECTION = {"pool_name": "orders", "pool_kind": "connection"}


@pytest.fixture
def url(tmp_path):
    """The URL of an empty database."""
    return f"sqlite:///{tmp_path / 'book.db'}"


@pytest.fixture
def connected(url):
    """Makes engines on that database, of the options that are given."""
    engines = []

    def connect(**options):
        engines.append(sa.create_engine(url, **options))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(figures, connected):
    """An instrumented engine of at most two connections."""
    made = connected(pool_size=1, max_overflow=1, pool_timeout=0.05)
    return instrument_pool(made, name="orders", registry=figures.registry)


@pytest.fixture
def pooled():
    """Makes pools without an engine, of the class and options that are given."""
    opened = []

    def create():
        opened.append(sqlite3.connect(":memory:", check_same_thread=False))
        return opened[-1]

    yield lambda kind, **options: kind(create, **options)
    for connection in opened:
        connection.close()


def test_resources_are_read_off_the_pool(figures, engine):
    """Used, idle and limit are right at every moment, and a detached connection is used no more."""

    def resources():
        return figures.all("pool_resources", "pool_resource_state")

    assert resources() == {"used": 0, "idle": 0}
    with engine.connect():
        assert resources() == {"used": 1, "idle": 0}
    assert resources() == {"used": 0, "idle": 1}
    detached = engine.raw_connection()
    detached.detach()
    detached.close()
    assert resources()["used"] == 0
    assert figures("pool_resource_limit", **CONNECTION) == 2


def test_acquisitions_tell_reuse_from_creation(figures, engine):
    """The first request opens a connection, the next two use it again."""
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(sa.text("select 1"))
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 1, "reused": 2}
    for name in ("wait", "use"):
        assert figures(f"pool_{name}_duration_seconds_count", **CONNECTION) == 3
    assert figures("pool_create_duration_seconds_count", **CONNECTION) == 1


def test_a_request_in_vain_is_a_timeout(figures, engine):
    """The program gets SQLAlchemy's own error; the wait is counted too."""
    with engine.connect(), engine.connect(), pytest.raises(sa.exc.TimeoutError):
        engine.connect()
    assert figures("pool_timeouts_total", **CONNECTION) == 1
    assert figures("pool_wait_duration_seconds_count", **CONNECTION) == 3


def test_those_who_wait_are_pending(figures, connected):
    """A request that waits for a connection shows while it waits."""
    engine = instrument_pool(connected(pool_size=1, max_overflow=0), name="orders", registry=figures.registry)
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
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 0}
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
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 0}


def test_a_database_that_is_down_counts_no_acquisition(figures, tmp_path):
    """The program gets its own error; nothing was handed out."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/missing/book.db")
    instrument_pool(engine, name="orders", registry=figures.registry)
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 0, "reused": 0}
    assert figures("pool_pending_requests", **CONNECTION) == 0


@pytest.mark.parametrize("pool", [NullPool, StaticPool])
def test_a_pool_that_knows_no_sizes_shows_none(figures, connected, pool):
    """No figure is made up: such pools have requests and uses, but no resources."""
    engine = connected(poolclass=pool)
    instrument_pool(engine, name="orders", registry=figures.registry)
    engine.connect().close()
    assert figures.all("pool_resources", "pool_resource_state") == {}
    assert figures("pool_resource_limit") is None
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 1


def test_an_unlimited_pool_has_no_limit(figures, connected):
    """An overflow of -1 stands for no limit."""
    engine = connected(max_overflow=-1)
    instrument_pool(engine, name="orders", registry=figures.registry)
    assert figures("pool_resource_limit") is None
    assert figures("pool_resources", pool_resource_state="used") == 0


def test_a_pool_on_its_own_is_measured(figures, pooled):
    """A pool without an engine, around any function that opens a connection."""
    pool = pooled(QueuePool, pool_size=3, max_overflow=0)
    assert instrument_pool(pool, name="orders", registry=figures.registry) is pool
    pool.connect().close()
    assert figures("pool_create_duration_seconds_count") == 1
    assert figures("pool_resource_limit") == 3


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


@pytest.mark.parametrize("kind", [StaticPool, SingletonThreadPool])
def test_uses_of_one_connection_that_overlap_are_timed_each(figures, kind, pooled):
    """Each is told by what the program holds, and lasts from its own beginning."""
    now = iter(range(100))
    measure_by(figures.registry, lambda: next(now) * 1.0)
    pool = instrument_pool(pooled(kind), name="orders", registry=figures.registry)
    first = pool.connect()  # asked at 0, opened from 1 to 2, out since 3
    second = pool.connect()  # asked at 4, out since 5
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 0
    second.close()
    first.close()
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 2
    assert figures("pool_use_duration_seconds_sum", **CONNECTION) == (6 - 5) + (7 - 3)
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 1, "reused": 1}


@pytest.mark.parametrize("kind", [StaticPool, SingletonThreadPool])
def test_a_use_that_nobody_ends_ends_with_what_the_program_held(figures, kind, pooled):
    """Forgotten, detached or invalidated: each is one use."""
    pool = instrument_pool(pooled(kind), name="orders", registry=figures.registry)
    forgotten = [pool.connect(), pool.connect()]
    del forgotten
    gc.collect()
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 2
    invalid = pool.connect()
    invalid.invalidate()
    detached = pool.connect()
    detached.detach()
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 4
    detached.close()
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 4


def test_an_engine_is_bound_once_whatever_pool_it_has(figures, engine):
    """Also after `dispose`, and by whichever of the objects that share its pool."""
    for _ in range(2):
        for other in (engine, engine.pool, engine.execution_options(isolation_level="SERIALIZABLE")):
            with pytest.raises(BindingError, match="already bound"):
                instrument_pool(other, name="again", registry=figures.registry)
        engine.dispose()
    engine.connect().close()
    assert figures("pool_wait_duration_seconds_count", **CONNECTION) == 1


def test_an_engine_whose_pool_has_a_binding_is_not_bound_again(figures, connected):
    """Its requests are counted already."""
    engine = connected()
    instrument_pool(engine.pool, name="orders", registry=figures.registry)
    with pytest.raises(BindingError, match="already bound"):
        instrument_pool(engine, name="again", registry=figures.registry)
    Binding.of(engine.pool).close()
    assert instrument_pool(engine, name="again", registry=figures.registry) is engine


def test_a_pool_made_after_another_is_a_plain_one(figures, pooled):
    """`recreate` gives a pool of its own, with the creator that the program gave."""

    pool = pooled(QueuePool)
    create = pool._creator
    other = instrument_pool(pool, name="orders", registry=figures.registry).recreate()
    assert type(other) is QueuePool
    assert pool._creator is other._creator is create
    other.connect().close()
    assert figures("pool_wait_duration_seconds_count", **CONNECTION) == 0
    instrument_pool(other, name="other", registry=figures.registry).connect().close()
    assert figures("pool_wait_duration_seconds_count", pool_name="orders") == 0
    assert figures("pool_wait_duration_seconds_count", pool_name="other") == 1


def test_a_connection_out_of_an_earlier_pool_is_no_use_of_this_one(figures, engine):
    """It counts against no limit any more; its use ends when it is closed."""
    connection, earlier = engine.connect(), engine.pool
    engine.dispose()
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 0, "idle": 0}
    connection.close()
    earlier.dispose()
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 0, "idle": 0}
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 1
    instrument_pool(earlier, name="earlier", registry=figures.registry).connect().close()
    earlier.dispose()
    assert figures("pool_use_duration_seconds_count", pool_name="earlier") == 1
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 1


def test_a_pool_that_was_disposed_of_has_no_negative_figures(figures, pooled):
    """SQLAlchemy counts the return of a connection that it forgot when the pool was disposed of."""
    pool = instrument_pool(pooled(QueuePool), name="orders", registry=figures.registry)
    connection = pool.connect()
    pool.dispose()
    connection.close()
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 0, "idle": 1}


@pytest.mark.parametrize(
    ("kind", "options", "timeouts", "rejections", "sources"),
    [
        (QueuePool, {}, 0, None, {"created", "reused"}),
        (QueuePool, {"max_overflow": -1}, None, None, {"created", "reused"}),
        (QueuePool, {"pool_size": 0}, None, None, {"created", "reused"}),
        (AsyncAdaptedQueuePool, {}, 0, None, {"created", "reused"}),
        (NullPool, {}, None, None, {"created"}),
        (StaticPool, {}, None, None, {"created", "reused"}),
        (SingletonThreadPool, {}, None, None, {"created", "reused"}),
        (AssertionPool, {}, None, 0, {"created", "reused"}),
    ],
)
def test_what_a_pool_can_never_do_has_no_series(figures, kind, options, timeouts, rejections, sources, pooled):
    """A pool that never waits has no time-outs, one that never refuses no rejections."""
    pool = instrument_pool(pooled(kind, **options), name="orders", registry=figures.registry)
    pool.connect().close()
    assert figures("pool_timeouts_total") == timeouts
    assert figures("pool_rejections_total") == rejections
    assert set(figures.all("pool_acquisitions_total", "pool_acquisition_source")) == sources
    assert figures("pool_use_duration_seconds_count", **CONNECTION) == 1


def test_a_pool_for_one_refuses_the_second(figures, pooled):
    """Its own error passes through, and is a rejection."""
    pool = instrument_pool(pooled(AssertionPool), name="orders", registry=figures.registry)
    first = pool.connect()
    with pytest.raises(AssertionError, match="already checked out"):
        pool.connect()
    first.close()
    assert figures("pool_rejections_total", **CONNECTION) == 1


def test_a_collection_does_not_make_an_async_pools_queue(figures, pooled):
    """The pool makes it at first sight; were that a collection's, the program might have another."""
    pool = instrument_pool(pooled(AsyncAdaptedQueuePool), name="orders", registry=figures.registry)
    assert "_queue" in vars(pool._pool)


def test_a_creator_that_is_replaced_is_timed(figures, pooled):
    """The program may set it at any time, and finds what it set."""
    pool = instrument_pool(pooled(QueuePool), name="orders", registry=figures.registry)
    create, opened = pool._creator, []
    del pool._creator
    assert not vars(pool).keys() & {"_creator_arg", "_invoke_creator"}
    pool._creator = replaced = lambda: opened.append(create()) or opened[-1]
    pool.connect().close()
    assert pool._creator is replaced
    assert len(opened) == 1
    assert figures("pool_create_duration_seconds_count") == 1
    Binding.of(pool).close()
    assert pool._invoke_creator(None) is opened[1]


def test_the_opening_of_a_connection_is_timed_from_end_to_end():
    """A creator that wants the record of its connection gets the record."""
    clock = ManualClock(10.0)
    figures = Figures(clock=clock)

    def create(record):
        clock.now = 12.5
        record.info["created"] = True
        return sqlite3.connect(":memory:")

    pool = instrument_pool(QueuePool(create), name="orders", registry=figures.registry)
    connection = pool.connect()
    assert connection.info == {"created": True}
    connection.detach()
    connection.close()
    assert figures("pool_create_duration_seconds_sum") == 2.5


@pytest.mark.parametrize("kind", [QueuePool, StaticPool])
def test_a_pool_knows_whether_a_transaction_was_ended(figures, connected, kind):
    """It is told when a connection comes back, so as not to end the transaction once more."""
    engine = instrument_pool(connected(poolclass=kind), name="orders", registry=figures.registry)
    ended = []
    sa.event.listen(engine, "reset", lambda _connection, _record, state: ended.append(state.transaction_was_reset))
    with engine.connect() as connection:
        connection.execute(sa.text("select 1"))
    engine.raw_connection().close()
    assert ended == [True, False]


class Async:
    """What SQLAlchemy makes of an engine for asyncio; its own class needs greenlet."""

    __module__ = "sqlalchemy.ext.asyncio.engine"

    def __init__(self, engine):
        self.sync_engine = engine


def test_an_async_engine_is_measured_through_the_engine_it_is_made_of(figures, connected):
    """They have one pool, and so one binding."""
    engine = connected()
    made = Async(engine)
    assert instrument_pool(made, name="orders", registry=figures.registry) is made
    engine.connect().close()
    engine.dispose()
    engine.connect().close()
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 0}
    assert figures("pool_resources", pool_resource_state="idle") == 1
    with pytest.raises(BindingError, match="already bound"):
        instrument_pool(engine, name="again", registry=figures.registry)
    Binding.of(made).close()
    assert type(engine.pool) is QueuePool


def test_an_engine_is_freed_with_its_series(figures, url):
    """The binding holds neither the engine nor a pool."""
    engine = instrument_pool(sa.create_engine(url), name="orders", registry=figures.registry)
    engine.connect().close()
    engine.dispose()
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None
    assert figures("pool_wait_duration_seconds_count") is None
