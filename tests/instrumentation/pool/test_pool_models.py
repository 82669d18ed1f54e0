"""Pools driven at random, against an account that is kept apart."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prometheus_client import CollectorRegistry
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from collected import collect
from manometer import instrument_executor, instrument_pool
from manometer.instrumentation.clock import measure_by
from waiting import DEADLINE

# SQLAlchemy 2.0.0 fails in the finalizer of a connection that was closed under it.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <function _ConnectionRecord.checkout")

LIMITS = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
PICK = st.integers(0, 1_000_000)
APART = ("pool_acquisition_source", "pool_resource_state")
"""Labels that tell the series of one pool apart."""


class Measured(RuleBasedStateMachine):
    """A registry of its own, a clock that moves by hand, and what the figures should be."""

    def __init__(self):
        super().__init__()
        self.registry = CollectorRegistry()
        self.now = 0.0
        measure_by(self.registry, self.time)
        self.waits = self.created = self.reused = self.uses = 0
        self.seconds = 0.0
        self.failed = {"timeouts": 0, "rejections": 0}

    def time(self):
        return self.now

    def ended(self, began):
        """A use is over."""
        self.uses += 1
        self.seconds += self.now - began

    def figures(self):
        """Every sample's value, by its name and what tells it from its siblings."""
        return {
            (
                sample.name,
                *(sample.labels[label] for label in APART if label in sample.labels),
            ): sample.value
            for family in collect(self.registry)
            for sample in family.samples
            if "le" not in sample.labels
        }

    @invariant()
    def the_figures_are_the_accounts(self):
        """At every moment."""
        found = self.figures()
        assert found.get(("pool_wait_duration_seconds_count",), 0) == self.waits
        assert found.get(("pool_acquisitions_total", "created"), 0) == self.created
        assert found.get(("pool_acquisitions_total", "reused"), 0) == self.reused
        assert found.get(("pool_use_duration_seconds_count",), 0) == self.uses
        assert found.get(("pool_use_duration_seconds_sum",), 0) == self.seconds
        for event, count in self.failed.items():
            assert found.get((f"pool_{event}_total",), 0) == count


class Connections(Measured):
    """An engine with a pool of one class: requests, and everything that ends a use."""

    kind, options = QueuePool, {"pool_size": 2, "max_overflow": 1, "pool_timeout": 0}

    def __init__(self):
        super().__init__()
        self.opened, self.down = [], False
        self.held = []  # fairies, as often as they were lent, each with its beginning and the pool's age
        self.age = 0
        self.engine = sa.create_engine("sqlite://", creator=self.create, poolclass=self.kind, **self.options)
        instrument_pool(self.engine, name="p", registry=self.registry)

    def create(self):
        if self.down:
            raise sqlite3.OperationalError("down")
        self.opened.append(sqlite3.connect(":memory:", check_same_thread=False))
        return self.opened[-1]

    @rule(down=st.integers(0, 9).map(lambda dice: dice == 0))
    def connect(self, down):
        self.now += 1
        self.down, opened = down, len(self.opened)
        self.waits += 1
        try:
            fairy = self.engine.raw_connection()
        except sa.exc.TimeoutError:
            self.failed["timeouts"] += 1
        except AssertionError:
            self.failed["rejections"] += 1
        except sqlite3.OperationalError:
            assert down
        else:
            self.held.append((fairy, self.now, self.age))
            if len(self.opened) > opened:
                self.created += 1
            else:
                self.reused += 1

    def let_go(self, fairy):
        """All uses of that fairy are over."""
        for each, began, _ in self.held:
            if each is fairy:
                self.ended(began)
        self.held = [use for use in self.held if use[0] is not fairy]

    def holds(self):
        return bool(self.held)

    @precondition(holds)
    @rule(pick=PICK)
    def close(self, pick):
        self.now += 2
        fairy = self.held[pick % len(self.held)][0]
        fairy.close()
        if fairy._counter == 0:
            self.let_go(fairy)

    @precondition(holds)
    @rule(pick=PICK, how=st.sampled_from(["detach", "invalidate", "forget"]))
    def end(self, pick, how):
        self.now += 4
        fairy = self.held[pick % len(self.held)][0]
        if how != "forget":
            getattr(fairy, how)()
        self.let_go(fairy)

    @precondition(holds)
    @rule(pick=PICK)
    def invalidate_softly(self, pick):
        self.held[pick % len(self.held)][0].invalidate(soft=True)

    @precondition(lambda self: not (self.held and self.kind is AssertionPool))  # it takes nothing back then
    @rule()
    def dispose(self):
        self.engine.dispose()
        self.age += 1

    @invariant()
    def the_resources_are_the_pools(self):
        found = self.figures()
        assert found["pool_pending_requests",] == 0
        used = sum(age == self.age for _, _, age in self.held)
        if self.kind is QueuePool:
            assert found["pool_resources", "used"] == used
            assert found["pool_resources", "idle"] == self.engine.pool.checkedin()
            assert found["pool_resource_limit",] == 3
        else:
            assert ("pool_resources", "used") not in found

    def teardown(self):
        self.held.clear()
        self.engine.dispose()
        for connection in self.opened:
            connection.close()
        super().teardown()


class Permits(Measured):
    """An object pool that lends few objects, some of them to several at a time, and may refuse."""

    class Pool:
        """Lends what it is told to."""

        in_use = idle = created = 0
        limit = None

        def acquire(self, thing, error=None):
            if error is not None:
                raise error
            self.created += thing == "new"
            return thing

        def release(self, thing):
            """Nothing is kept."""

    @initialize()
    def begin(self):
        self.out = {thing: [] for thing in (7, "new", self)}
        self.pool = instrument_pool(self.Pool(), name="p", registry=self.registry)

    @rule(which=st.integers(0, 2))
    def acquire(self, which):
        self.now += 1
        thing = list(self.out)[which]
        assert self.pool.acquire(thing) is thing
        self.waits += 1
        self.out[thing].append(self.now)
        if thing == "new":
            self.created += 1
        else:
            self.reused += 1

    @rule(which=st.integers(0, 2))
    def release(self, which):
        self.now += 2
        thing = list(self.out)[which]
        self.pool.release(thing)
        if len(self.out[thing]) > 0:
            # Which use ends cannot be told; the latest but for the first, which has a place of its own.
            self.ended(self.out[thing].pop())

    @rule(error=st.sampled_from([TimeoutError(), RuntimeError("full")]))
    def refuse(self, error):
        with pytest.raises(type(error)):
            self.pool.acquire(None, error)
        self.waits += 1
        self.failed["timeouts" if isinstance(error, TimeoutError) else "rejections"] += 1


class Workers(RuleBasedStateMachine):
    """An executor of two threads whose tasks end when they are told to."""

    def __init__(self):
        super().__init__()
        self.registry = CollectorRegistry()
        self.executor = instrument_executor(ThreadPoolExecutor(2), name="p", registry=self.registry)
        self.running, self.queued = [], []
        self.begun = self.finished = self.refused = 0
        self.shut = False

    figures = Measured.figures

    @rule()
    def submit(self):
        go, begun = threading.Event(), threading.Event()

        def task():
            begun.set()
            assert go.wait(DEADLINE)

        try:
            future = self.executor.submit(task)
        except RuntimeError:
            assert self.shut
            self.refused += 1
        else:
            assert not self.shut
            self.queued.append((future, go, begun))
            self.take()

    def take(self):
        """The workers take what they can."""
        while self.queued and len(self.running) < 2:
            task = self.queued.pop(0)
            assert task[2].wait(DEADLINE)
            self.running.append(task)
            self.begun += 1

    @precondition(lambda self: self.running)
    @rule(pick=PICK)
    def finish(self, pick):
        future, go, _ = self.running.pop(pick % len(self.running))
        go.set()
        future.result(30)
        self.finished += 1
        self.take()

    @precondition(lambda self: self.queued)
    @rule(pick=PICK)
    def cancel(self, pick):
        assert self.queued.pop(pick % len(self.queued))[0].cancel()

    @precondition(lambda self: self.begun > 3)
    @rule(cancel=st.booleans())
    def shutdown(self, cancel):
        self.executor.shutdown(wait=False, cancel_futures=cancel)
        self.shut = True
        if cancel:
            self.queued.clear()

    @invariant()
    def the_figures_are_the_accounts(self):
        found = self.figures()
        assert found["pool_resources", "used"] == len(self.running)
        assert found["pool_pending_requests",] == len(self.queued)
        assert found["pool_wait_duration_seconds_count",] == self.begun
        assert found["pool_acquisitions_total", "created"] + found["pool_acquisitions_total", "reused"] == self.begun
        assert found["pool_use_duration_seconds_count",] == self.finished
        assert found["pool_rejections_total",] == self.refused

    def teardown(self):
        for _, go, _ in self.running + self.queued:
            go.set()
        self.executor.shutdown()


def machine(kind, base=Connections, **options):
    """A test case of a machine, for a class of pool where there are several."""
    body = {"kind": kind, "options": options} if kind else {}
    case = type(f"{base.__name__}{kind.__name__ if kind else ''}", (base,), body).TestCase
    case.settings = LIMITS
    return case


TestQueuePool = machine(QueuePool, pool_size=2, max_overflow=1, pool_timeout=0)
TestNullPool = machine(NullPool)
TestStaticPool = machine(StaticPool)
TestSingletonThreadPool = machine(SingletonThreadPool)
TestAssertionPool = machine(AssertionPool)
TestPermits = machine(None, Permits)
TestWorkers = machine(None, Workers)
