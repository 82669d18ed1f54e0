"""Every adapter of a queue keeps to the contract of queues."""

import asyncio
import queue

from manometer.testing import QueueContract


class TestQueue(QueueContract):
    """The queue of threads."""

    tells = ("items", "limit")

    def make(self):
        return queue.Queue(2)


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

    def make(self):
        return asyncio.Queue(2)


class TestAsyncioLifoQueue(TestQueue):
    """One that gives the latest first."""

    def make(self):
        return asyncio.LifoQueue(2)
