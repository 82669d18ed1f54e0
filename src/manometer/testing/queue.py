"""The contract of queues."""

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
            tells = ("items", "limit")

            def make(self):
                return foo.Queue(size=2)

    make: a queue that takes at most two items, where it has a limit.
    tells: of `items` and `limit`, those that the adapter tells; comings, goings and waits are told of each queue.
    """

    subject = "queue"
    name_attribute = "queue.name"
    rows: ClassVar = {
        "items": rows.ITEMS,
        "limit": rows.ITEM_LIMIT,
        "operations": rows.OPERATIONS,
        "waits": rows.WAIT_DURATION,
    }
    always = ("operations", "waits")

    def put(self, queue: Any, item: int) -> Any:
        """Put the item into the queue."""
        return queue.put(item)

    def get(self, queue: Any) -> Any:
        """Take an item out."""
        return queue.get()

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
