"""Every adapter of a queue keeps to the contract of queues."""

import asyncio
import queue

from manometer.adapter import Bind, QueueAdapter, QueueState
from manometer.instrumentation.subject import Subject
from manometer.testing import QueueContract


class TestQueue(QueueContract):
    """The queue of threads."""

    tells = ("items", "limit", "rejections")
    refusal = queue.Full

    def make(self):
        return queue.Queue(2)

    def put_in_vain(self, target, item):
        target.put(item, timeout=0.001)


class TestPriorityQueue(TestQueue):
    """One that orders its items."""

    def make(self):
        return queue.PriorityQueue(2)


class TestSimpleQueue(QueueContract):
    """The compiled queue, which has a drop-in."""

    tells = ("items",)

    def make(self):
        return queue.SimpleQueue()


class TestAsyncioQueue(TestQueue):
    """The queue of tasks."""

    refusal = asyncio.QueueFull

    def make(self):
        return asyncio.Queue(2)

    def put_in_vain(self, target, item):
        target.put_nowait(item)


class TestAsyncioLifoQueue(TestAsyncioQueue):
    """One that gives the latest first."""

    def make(self):
        return asyncio.LifoQueue(2)


class Shelf:
    """A queue of another library, which refuses a third item."""

    def __init__(self):
        self.items = []

    def push(self, item):
        if len(self.items) == 2:
            raise OverflowError
        self.items.append(item)

    def pull(self):
        return self.items.pop(0)


class SlowShelf(Shelf):
    """The same of coroutines."""

    async def push(self, item):
        super().push(item)


class TestAQueueWhosePutsRefuse(QueueContract):
    """One method puts an item in, or raises."""

    tells = ("items", "limit", "rejections")
    refusal = OverflowError
    make = Shelf

    def instrument(self, target, name, figures):
        adapter = QueueAdapter(
            takes=Shelf,
            read=lambda shelf: QueueState(items=len(shelf.items), limit=2),
            puts=("push",),
            gets=("pull",),
            rejections=(OverflowError,),
        )
        return adapter(target, Bind(Subject.on(figures.registry, "queue"), {"queue.name": name}))

    def put(self, queue, item):
        return queue.push(item)

    def get(self, queue):
        return queue.pull()

    put_in_vain = put


class TestAQueueWhosePutsRefuseLater(TestAQueueWhosePutsRefuse):
    """One coroutine does."""

    make = SlowShelf
