"""The contracts of pools of connections and of other objects."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from manometer.catalogue import pool as rows
from manometer.instrumentation.pool import instrument_pool
from manometer.testing.clock import ManualClock
from manometer.testing.contract import DEADLINE, Contract, equal, given, until
from manometer.testing.figures import Figures

__all__ = ["AsyncPoolContract", "PoolContract"]


class PoolContract(Contract):
    """What an instrumented pool keeps to.

        class TestFooPool(PoolContract):
            tells = ("resources", "limit", "acquisitions", "timeouts")
            vain = foo.PoolTimeout

            def make(self):
                return foo.Pool(connect, size=2)

            def acquire(self, pool):
                return pool.get(timeout=60)

            def release(self, pool, resource):
                pool.put(resource)

            def ask_in_vain(self, pool):
                pool.get(timeout=0.01)

    make: a pool of at most two resources.
    tells: of `resources`, `limit`, `idle_limit`, `idle_minimum`, `acquisitions`, `creations`, `timeouts` and
    `rejections`, those that the adapter tells; waits, uses and requests under way are told of each pool.
    vain: what a request in vain raises, where the pool has an end to what it gives.
    waits: whether a request waits while nothing is there.
    """

    subject = "pool"
    name_attribute = "pool.name"
    rows: ClassVar = {
        "resources": rows.RESOURCES,
        "limit": rows.RESOURCE_LIMIT,
        "idle_limit": rows.IDLE_LIMIT,
        "idle_minimum": rows.IDLE_MINIMUM,
        "acquisitions": rows.ACQUISITIONS,
        "creations": rows.CREATE_DURATION,
        "timeouts": rows.TIMEOUTS,
        "rejections": rows.REJECTIONS,
        "waits": rows.WAIT_DURATION,
        "uses": rows.USE_DURATION,
        "pending": rows.PENDING_REQUESTS,
    }
    always = ("waits", "uses", "pending")
    vain: ClassVar[type[BaseException] | None] = None
    waits: ClassVar[bool] = True

    def acquire(self, pool: Any) -> Any:
        """Take a resource out."""
        raise NotImplementedError

    def release(self, pool: Any, resource: Any) -> Any:
        """Put the resource back."""
        raise NotImplementedError

    def ask_in_vain(self, pool: Any) -> Any:
        """Ask for a third resource, without patience."""
        raise NotImplementedError

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the pool."""
        return instrument_pool(target, name=name, registry=figures.registry)

    async def use(self, target: Any) -> None:
        """Take a resource out, and put it back."""
        await given(self.release(target, await given(self.acquire(target))))

    def test_resources_and_acquisitions_are_told(self) -> None:
        """What is out, what the pool has had, and how many requests there were."""
        self._run(self._counts)

    def test_a_use_lasts_from_the_resource_to_its_return(self) -> None:
        """By the kit's clock."""
        clock = ManualClock()

        async def times(figures: Figures) -> None:
            pool = self.instrument(await given(self.make()), "tried", figures)
            resource = await given(self.acquire(pool))
            clock.advance(3)
            await given(self.release(pool, resource))
            equal(self._value(figures, "uses", "_sum"), 3, "the seconds of a use")
            equal(self._value(figures, "waits", "_sum"), 0, "the seconds of a wait")
            await given(self.dispose(pool))

        self._run(times, clock)

    def test_a_request_in_vain_is_told(self) -> None:
        """The library's own exception passes through; no resource was handed out."""
        if self.vain is not None:
            self._run(partial(self._ends_in_vain, self.vain))

    def test_who_waits_is_pending(self) -> None:
        """While it waits, and no longer."""
        if self.waits:
            self._run(self._has_pending)

    async def _counts(self, figures: Figures) -> None:
        pool = self.instrument(await given(self.make()), "tried", figures)
        first = await given(self.acquire(pool))
        second = await given(self.acquire(pool))
        if "resources" in self.tells:
            equal(self._value(figures, "resources", pool__resource__state="used"), 2, "resources that are out")
        if "limit" in self.tells:
            equal(self._value(figures, "limit"), 2, "the limit")
        for resource in (first, second):
            await given(self.release(pool, resource))
        await self.use(pool)
        if "resources" in self.tells:
            equal(self._value(figures, "resources", pool__resource__state="used"), 0, "resources that are out")
        if "acquisitions" in self.tells:
            sources = figures.all(rows.ACQUISITIONS.prometheus_name, "pool_acquisition_source")
            equal(sum(sources.values()), 3, "acquisitions")
        for word in ("waits", "uses"):
            equal(self._value(figures, word, "_count"), 3, word)
        equal(self._value(figures, "pending"), 0, "pending requests")
        await given(self.dispose(pool))

    async def _ends_in_vain(self, vain: type[BaseException], figures: Figures) -> None:
        pool = self.instrument(await given(self.make()), "tried", figures)
        resources = [await given(self.acquire(pool)) for _ in range(2)]
        with figures.changes() as changes:
            try:
                await given(self.ask_in_vain(pool))
            except vain:
                pass
            else:
                raise AssertionError(f"a request in vain raises no {vain.__qualname__}")
        told = {word: changes(self.rows[word].prometheus_name) for word in ("timeouts", "rejections")}
        expected = 1 if {"timeouts", "rejections"} & {*self.tells} else 0
        equal(sum(each or 0 for each in told.values()), expected, "time-outs and rejections")
        equal(self._value(figures, "waits", "_count"), 3, "requests that waited")
        if "acquisitions" in self.tells:
            sources = changes.all(rows.ACQUISITIONS.prometheus_name, "pool_acquisition_source")
            equal(sources, {}, "acquisitions by a request in vain")
        for resource in resources:
            await given(self.release(pool, resource))
        await given(self.dispose(pool))

    async def _has_pending(self, figures: Figures) -> None:
        pool = self.instrument(await given(self.make()), "tried", figures)
        resources = [await given(self.acquire(pool)) for _ in range(2)]
        with self._waiting(pool):
            until(lambda: self._value(figures, "pending") == 1, "a request that waits is pending")
            for resource in resources:
                self.release(pool, resource)
        equal(self._value(figures, "pending"), 0, "pending requests")
        equal(self._value(figures, "uses", "_count"), 3, "uses")
        self.dispose(pool)

    @contextmanager
    def _waiting(self, pool: Any) -> Iterator[None]:
        waiter = threading.Thread(target=lambda: self.release(pool, self.acquire(pool)), daemon=True)
        waiter.start()
        yield
        waiter.join(DEADLINE)
        equal(waiter.is_alive(), False, "still waiting")


class AsyncPoolContract(PoolContract):
    """What an instrumented pool keeps to whose `acquire` and `release` are coroutines; see PoolContract."""

    def test_a_request_that_is_cancelled_is_over(self) -> None:
        """It is no longer pending, and was no acquisition."""
        if self.waits:
            self._run(self._is_cancelled)

    async def _has_pending(self, figures: Figures) -> None:
        pool = self.instrument(await given(self.make()), "tried", figures)
        resources = [await given(self.acquire(pool)) for _ in range(2)]
        waiter = asyncio.create_task(self.use(pool))
        await self._until_pending(figures)
        for resource in resources:
            await given(self.release(pool, resource))
        await asyncio.wait_for(waiter, DEADLINE)
        equal(self._value(figures, "pending"), 0, "pending requests")
        equal(self._value(figures, "uses", "_count"), 3, "uses")
        await given(self.dispose(pool))

    async def _is_cancelled(self, figures: Figures) -> None:
        pool = self.instrument(await given(self.make()), "tried", figures)
        resources = [await given(self.acquire(pool)) for _ in range(2)]
        waiter = asyncio.create_task(self.use(pool))
        await self._until_pending(figures)
        waiter.cancel()
        await asyncio.wait([waiter], timeout=DEADLINE)
        equal(waiter.cancelled(), True, "cancelled")
        equal(self._value(figures, "pending"), 0, "pending requests")
        for resource in resources:
            await given(self.release(pool, resource))
        equal(self._value(figures, "uses", "_count"), 2, "uses")
        await given(self.dispose(pool))

    async def _until_pending(self, figures: Figures) -> None:
        async with asyncio.timeout(DEADLINE):
            while self._value(figures, "pending") != 1:  # noqa: ASYNC110 - the pool sets no event
                await asyncio.sleep(0)
