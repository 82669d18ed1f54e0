"""The contract of queues."""

from functools import partial
from typing import Any, ClassVar

from manometer.catalogue import queue as rows
from manometer.instrumentation.queue import instrument_queue
from manometer.testing.clock import ManualClock
from manometer.testing.contract import Contract, equal, given
from manometer.testing.figures import Figures

__all__ = ["QueueContract"]


class QueueContract(Contract):
    """What an instrumented queue keeps to.

        class TestFooQueue(QueueContract):
            tells = ("items", "limit", "rejections")
            refusal = foo.Full

            def make(self):
                return foo.Queue(size=2)

            def put_in_vain(self, queue, item):
                queue.put(item, wait=False)

    make: a queue that takes at most two items, where it has a limit.
    tells: of `items`, `limit` and `rejections`, those that the adapter tells; comings, goings and waits are told of
    each queue.
    refusal: what a full queue raises, where it refuses items.
    """

    subject = "queue"
    name_attribute = "queue.name"
    rows: ClassVar = {
        "items": rows.ITEMS,
        "limit": rows.ITEM_LIMIT,
        "operations": rows.OPERATIONS,
        "rejections": rows.REJECTIONS,
        "waits": rows.WAIT_DURATION,
    }
    always = ("operations", "waits")
    refusal: ClassVar[type[BaseException] | None] = None

    def put(self, queue: Any, item: int) -> Any:
        """Put the item into the queue."""
        return queue.put(item)

    def get(self, queue: Any) -> Any:
        """Take an item out."""
        return queue.get()

    def put_in_vain(self, queue: Any, item: int) -> Any:
        """Put the item into a queue that is full, without patience."""
        raise NotImplementedError

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the queue."""
        return instrument_queue(target, name=name, registry=figures.registry)

    async def use(self, target: Any) -> None:
        """Put an item in, and take it out."""
        await given(self.put(target, 1))
        await given(self.get(target))

    def test_depth_comings_goings_and_waits_are_told(self) -> None:
        """Two items come, one of which goes three seconds later."""
        clock = ManualClock()

        async def counts(figures: Figures) -> None:
            queue = self.instrument(await given(self.make()), "tried", figures)
            for item in (1, 2):
                await given(self.put(queue, item))
            clock.advance(3)
            equal(await given(self.get(queue)) in (1, 2), True, "one of the items comes out")
            if "items" in self.tells:
                equal(self._value(figures, "items"), 1, "items that wait")
            if "limit" in self.tells:
                equal(self._value(figures, "limit"), 2, "the limit")
            for operation, times in (("put", 2), ("get", 1)):
                told = self._value(figures, "operations", queue__operation__type=operation)
                equal(told, times, f"operations that {operation} an item")
            equal(self._value(figures, "waits", "_count"), 1, "items that have waited")
            equal(self._value(figures, "waits", "_sum"), 3, "the seconds that they waited")
            await given(self.dispose(queue))

        self._run(counts, clock)

    def test_an_item_that_is_refused_is_told(self) -> None:
        """The library's own exception passes through; no item has come."""
        if self.refusal is not None:
            self._run(partial(self._refuses, self.refusal))

    async def _refuses(self, refusal: type[BaseException], figures: Figures) -> None:
        queue = self.instrument(await given(self.make()), "tried", figures)
        for item in (1, 2):
            await given(self.put(queue, item))
        try:
            await given(self.put_in_vain(queue, 3))
        except refusal:
            pass
        else:
            raise AssertionError(f"a full queue raises no {refusal.__qualname__}")
        told = self._value(figures, "rejections")
        equal(told, 1 if "rejections" in self.tells else None, "refused items")
        equal(self._value(figures, "operations", queue__operation__type="put"), 2, "items that came")
        for _ in range(2):
            await given(self.get(queue))
        equal(self._value(figures, "waits", "_count"), 2, "items that have waited")
        await given(self.dispose(queue))
