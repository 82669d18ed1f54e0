"""A library that has never heard of Manometer: caches, a pool of coroutines, a queue, threads, and what fails."""

import asyncio
import functools
import threading
from collections import OrderedDict, deque

__all__ = [
    "BlownError",
    "Cache",
    "Crew",
    "Empty",
    "Fuse",
    "Patience",
    "Pool",
    "Queue",
    "Timeout",
    "Tray",
    "kept",
]


class Timeout(Exception):  # noqa: N818
    """Nothing came free in time."""


class Empty(Exception):  # noqa: N818
    """Nothing is in the queue."""


class BlownError(Exception):
    """The fuse lets no call through."""


class Cache:
    """A cache that drops what was not used for longest, and counts its own lookups."""

    def __init__(self, size):
        self.size, self.hits, self.misses = size, 0, 0
        self.content = OrderedDict()

    def get_or_make(self, key, make):
        """The value of the key, made where it is missing."""
        if key in self.content:
            self.hits += 1
            self.content.move_to_end(key)
        else:
            self.misses += 1
            self.content[key] = self.make(key, make)
            if len(self.content) > self.size:
                self.drop()
        return self.content[key]

    def make(self, key, make):
        return make(key)

    def drop(self):
        self.content.popitem(last=False)


class Tray(dict):
    """A mapping that drops the oldest entries where it gets too heavy."""

    def __init__(self, limit, weigh):
        super().__init__()
        self.limit, self.weigh = limit, weigh

    @property
    def weight(self):
        return sum(map(self.weigh, dict.values(self)))

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        while self.weight > self.limit:
            self.make_room()

    def make_room(self):
        del self[next(iter(self))]


def kept(tray):
    """A decorator: what the function returns is kept in the tray."""

    def decorate(function):
        @functools.wraps(function)
        def call(key):
            try:
                return tray[key]
            except KeyError:
                tray[key] = value = function(key)
                return value

        call.tray = tray
        return call

    return decorate


class Patience:
    """Calls a function again where the connection failed, and tells its listeners."""

    def __init__(self, attempts):
        self.attempts, self.listeners = attempts, []

    def run(self, function):
        for left in reversed(range(self.attempts)):
            try:
                result = function()
            except ConnectionError:
                self._tell("again" if left else "over")
                if not left:
                    raise
            else:
                self._tell("done")
                return result
        return None

    def _tell(self, event):
        for listener in self.listeners:
            listener(event)


class Fuse:
    """Lets no call through after some failures, until it is told to try."""

    def __init__(self, failures):
        self.failures, self.failed, self.state = failures, 0, "closed"

    def go_to(self, state):
        self.state, self.failed = state, 0

    def run(self, function):
        if self.state == "open":
            raise BlownError
        try:
            result = function()
        except ConnectionError:
            self.failed += 1
            if self.failed == self.failures:
                self.go_to("open")
            raise
        if self.state != "closed":
            self.go_to("closed")
        return result


class Pool:
    """A pool of objects, made as they are asked for."""

    def __init__(self, make, size):
        self.size, self.out, self.free = size, 0, []
        self._make, self._returned = make, asyncio.Condition()

    async def take(self, *, patience=None):
        """An object; Timeout where none comes free within as many seconds."""
        try:
            async with asyncio.timeout(patience), self._returned:
                await self._returned.wait_for(lambda: self.out < self.size)
                self.out += 1
        except TimeoutError:
            raise Timeout from None
        return self.free.pop() if self.free else await self.open()

    async def open(self):
        await asyncio.sleep(0)
        return self._make()

    async def give(self, taken):
        """Put the object back."""
        async with self._returned:
            self.out -= 1
            self.free.append(taken)
            self._returned.notify()


class Queue:
    """A queue of whatever, without an end and without a wait."""

    __slots__ = ("_items",)

    def __init__(self):
        self._items = deque()

    def __len__(self):
        return len(self._items)

    def push(self, item):
        self._items.append(item)

    def pull(self):
        if not self._items:
            raise Empty
        return self._items.popleft()


class Crew:
    """Threads that run what they are told."""

    def __init__(self, size):
        self.size, self.open, self._jobs = size, True, deque()
        self._changed = threading.Condition()
        self.threads = [threading.Thread(target=self._work) for _ in range(size)]
        for thread in self.threads:
            thread.start()

    def run(self, function, *args):
        """Have a thread run the function; what comes back has its outcome in the end."""
        job = Job(function, args)
        with self._changed:
            if not self.open:
                raise Timeout
            self._jobs.append(job)
            self._changed.notify()
        return job

    def close(self):
        with self._changed:
            self.open = False
            self._changed.notify_all()
        for thread in self.threads:
            thread.join()

    def _work(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or not self.open)
                if not self._jobs:
                    return
                job = self._jobs.popleft()
            job.do()
            del job


class Job:
    """Something to run."""

    def __init__(self, function, args):
        self.state, self._function, self._args = "waiting", function, args
        self._done, self._outcome = threading.Event(), (None, None)

    def do(self):
        self.state = "running"
        try:
            self._outcome = self._function(*self._args), None
        except Exception as error:
            self._outcome = None, error
        self.state = "over"
        self._done.set()

    def wait(self, seconds):
        if not self._done.wait(seconds):
            raise Timeout
        result, error = self._outcome
        if error is not None:
            raise error
        return result
