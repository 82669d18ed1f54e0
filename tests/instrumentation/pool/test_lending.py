"""Pools that lend by coroutines and by context managers, plain and asynchronous, and what they make anew."""

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from inspect import iscoroutinefunction

import pytest

from manometer import Binding, instrument_pool
from manometer.adapter import Bind, PoolAdapter, PoolState
from manometer.instrumentation.pool.creations import Creations
from manometer.instrumentation.subject import Subject
from manometer.testing import Figures, ManualClock
from waiting import DEADLINE, joined

OBJECT = {"pool_name": "orders", "pool_kind": "object"}


class Later:
    """A pool of at most two lists, whose methods are coroutines."""

    limit = 2

    def __init__(self):
        self.free, self.in_use, self.created = [], 0, 0
        self.returned = asyncio.Condition()

    @property
    def idle(self):
        return len(self.free)

    async def acquire(self, patience=DEADLINE):
        async with asyncio.timeout(patience), self.returned:
            await self.returned.wait_for(lambda: self.in_use < self.limit)
            self.in_use += 1
            if self.free:
                return self.free.pop()
            self.created += 1
            await asyncio.sleep(0)
            return []

    async def release(self, resource):
        async with self.returned:
            self.free.append(resource)
            self.in_use -= 1
            self.returned.notify()


def test_a_pool_of_coroutines_is_measured(figures):
    """What it lends, who waits, and what became of each request; its methods stay coroutines."""

    async def use():
        pool = instrument_pool(Later(), name="orders", registry=figures.registry)
        assert iscoroutinefunction(pool.acquire)
        assert iscoroutinefunction(pool.release)
        one, two = await pool.acquire(), await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        assert figures("pool_pending_requests", **OBJECT) == 1
        assert figures.all("pool_resources", "pool_resource_state") == {"used": 2, "idle": 0}
        with pytest.raises(TimeoutError):
            await pool.acquire(patience=0)
        await pool.release(one)
        await pool.release(await waiting)
        await pool.release(two)
        assert figures("pool_timeouts_total") == 1
        assert figures("pool_rejections_total") == 0
        assert figures("pool_pending_requests", **OBJECT) == 0
        assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 1}
        assert figures("pool_wait_duration_seconds_count", **OBJECT) == 4
        assert figures("pool_use_duration_seconds_count", **OBJECT) == 3
        Binding.of(pool).close()
        assert type(pool) is Later

    asyncio.run(use())


def test_a_creation_makes_one_request_the_first(figures):
    """However many wait meanwhile: of ten requests of two objects, two got a new one."""

    async def use(pool):
        resource = await pool.acquire()
        await asyncio.sleep(0)
        await pool.release(resource)

    async def run():
        pool = instrument_pool(Later(), name="orders", registry=figures.registry)
        await asyncio.gather(*(use(pool) for _ in range(10)))
        assert pool.created == 2
        assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 8}

    asyncio.run(run())


def test_a_request_that_is_cancelled_is_over(figures):
    """It is no longer pending, has waited, and is no time-out of the pool's."""

    async def run():
        pool = instrument_pool(Later(), name="orders", registry=figures.registry)
        await pool.acquire()
        await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert figures("pool_pending_requests", **OBJECT) == 0
        assert figures("pool_wait_duration_seconds_count", **OBJECT) == 3
        assert (figures("pool_timeouts_total"), figures("pool_rejections_total")) == (0, 0)

    asyncio.run(run())


class Managed:
    """A pool that lends for a block."""

    def __init__(self, clock):
        self.clock, self.in_use, self.created = clock, 0, 0

    @contextmanager
    def acquire(self, error=None):
        self.clock.advance(2)
        if error:
            raise error
        self.in_use += 1
        self.created = 1
        try:
            yield self
        finally:
            self.in_use -= 1

    def release(self, resource):
        raise AssertionError("nobody calls it")


class ManagedLater(Managed):
    """The same, asynchronous."""

    @asynccontextmanager
    async def acquire(self, error=None):
        with super().acquire(error):
            await asyncio.sleep(0)
            yield self


def blocks(pool):
    """Two blocks of 5 seconds, the second of which raises, and a request that times out."""
    with pool.acquire() as lent:
        assert lent is pool
        pool.clock.advance(5)
    with suppress(LookupError), pool.acquire():
        pool.clock.advance(5)
        raise LookupError
    with suppress(TimeoutError), pool.acquire(TimeoutError()):
        raise AssertionError


async def blocks_later(pool):
    """The same, asynchronous."""
    async with pool.acquire() as lent:
        assert lent is pool
        pool.clock.advance(5)
    with suppress(LookupError):
        async with pool.acquire():
            pool.clock.advance(5)
            raise LookupError
    with suppress(TimeoutError):
        async with pool.acquire(TimeoutError()):
            raise AssertionError


@pytest.mark.parametrize("kind", [Managed, ManagedLater])
def test_a_pool_that_lends_for_a_block_is_measured(kind):
    """To enter the block is the request, and the block is the use."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    pool = instrument_pool(kind(clock), name="orders", registry=figures.registry)
    asyncio.run(blocks_later(pool)) if kind is ManagedLater else blocks(pool)
    assert figures("pool_wait_duration_seconds_sum", **OBJECT) == 3 * 2
    assert figures("pool_wait_duration_seconds_count", **OBJECT) == 3
    assert figures("pool_use_duration_seconds_sum", **OBJECT) == 2 * 5
    assert figures("pool_use_duration_seconds_count", **OBJECT) == 2
    assert figures("pool_timeouts_total") == 1
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 1, "reused": 1}
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 0}


def test_a_block_shows_what_its_context_manager_has(figures):
    """A library may put attributes there."""
    pool = instrument_pool(Managed(ManualClock()), name="orders", registry=figures.registry)
    assert callable(pool.acquire().gen.close)


@pytest.mark.parametrize("kind", [Managed, ManagedLater])
def test_a_block_may_decorate_a_function(kind):
    """As what contextmanager makes may: each call of the function is a request and a use."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    pool = instrument_pool(kind(clock), name="orders", registry=figures.registry)

    @pool.acquire()
    def use():
        return figures.all("pool_resources", "pool_resource_state")["used"]

    @pool.acquire()
    async def use_later():
        return figures.all("pool_resources", "pool_resource_state")["used"]

    for _ in range(2):
        assert (asyncio.run(use_later()) if kind is ManagedLater else use()) == 1
    assert figures("pool_use_duration_seconds_count", **OBJECT) == 2
    assert figures("pool_pending_requests", **OBJECT) == 0


class Either:
    """A pool whose request is awaited, or entered."""

    class Request:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return ["resource"]

        async def __aenter__(self):
            return await self

        async def __aexit__(self, *exception):
            return None

    def acquire(self):
        return self.Request()

    async def release(self, resource):
        pass


def test_a_request_that_may_be_awaited_or_entered_is_measured_either_way():
    """As many pools of coroutines have it. One that is awaited ends its use with the release."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    adapter = PoolAdapter(takes=Either, kind="object", read=lambda _: PoolState(), block="acquire", release="release")

    async def use():
        pool = adapter(Either(), Bind(Subject.on(figures.registry, "pool"), {"pool.name": "orders"}))
        resource = await pool.acquire()
        assert resource == ["resource"]
        clock.advance(3)
        await pool.release(resource)
        async with pool.acquire() as resource:
            assert resource == ["resource"]
            clock.advance(4)
        assert figures("pool_wait_duration_seconds_count", **OBJECT) == 2
        assert figures("pool_use_duration_seconds_sum", **OBJECT) == 3 + 4
        assert figures("pool_pending_requests", **OBJECT) == 0

    asyncio.run(use())


def test_creations_are_claimed_once_by_threads_at_once():
    """As many requests are the first as there were creations."""
    creations = Creations(None, None)
    first, start = [], threading.Barrier(8)

    def run():
        start.wait(DEADLINE)
        for _ in range(200):
            creations.made_one()
            first.extend(creations.claim(creations.made(None)) for _ in range(2))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert sum(first) + sum(creations.claim(creations.made(None)) for _ in range(2000)) == 1600


def test_what_a_pool_made_before_was_nobodys_creation():
    """Requests of before the instrumentation had it; a pool that tells less than before makes no creation."""
    creations = Creations(None, lambda _: 5)
    assert (creations.claimed, creations.claim(5)) == (5, False)
    assert [creations.claim(6) for _ in range(2)] == [True, False]
    assert not creations.claim(2)
