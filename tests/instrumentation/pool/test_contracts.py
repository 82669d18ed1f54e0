"""Every adapter of a pool keeps to the contract of pools, and that of workers to the one of workers."""

import asyncio
import queue
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import sqlalchemy
from sqlalchemy.pool import NullPool, QueuePool

from manometer.testing import AsyncPoolContract, PoolContract, WorkersContract


class Lists:
    """A pool of at most two lists."""

    limit = 2

    def __init__(self):
        self.free = queue.SimpleQueue()
        self.in_use = self.created = 0
        for _ in range(2):
            self.free.put([])

    @property
    def idle(self):
        return self.free.qsize()

    def acquire(self, timeout=60):
        try:
            found = self.free.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        self.in_use += 1
        return found

    def release(self, resource):
        self.in_use -= 1
        self.free.put(resource)


class TestObjectPool(PoolContract):
    """A pool that keeps to the interface."""

    tells = ("resources", "limit", "acquisitions", "timeouts", "rejections")
    vain = TimeoutError

    def make(self):
        return Lists()

    def acquire(self, pool):
        return pool.acquire()

    def release(self, pool, resource):
        pool.release(resource)

    def ask_in_vain(self, pool):
        pool.acquire(timeout=0.001)


class Sealing(type):
    """A class of classes that take no subclass, as those of compiled code may be."""

    def __new__(cls, name, bases, body):
        if any(isinstance(base, Sealing) for base in bases):
            raise TypeError("final")
        return super().__new__(cls, name, bases, body)


class Compiled(Lists, metaclass=Sealing):
    """A pool whose class takes no subclass."""


class TestDropInOfAPool(TestObjectPool):
    """A pool that has a drop-in."""

    def make(self):
        return Compiled()


class Later:
    """A pool of at most two lists, whose methods are coroutines."""

    def __init__(self):
        self.free = asyncio.Queue()
        self.in_use = 0
        for _ in range(2):
            self.free.put_nowait([])

    async def acquire(self, patience=60):
        async with asyncio.timeout(patience):
            found = await self.free.get()
        self.in_use += 1
        return found

    async def release(self, resource):
        self.in_use -= 1
        await self.free.put(resource)


class TestAsyncObjectPool(AsyncPoolContract):
    """A pool of coroutines."""

    tells = ("resources", "timeouts", "rejections")
    vain = TimeoutError

    def make(self):
        return Later()

    async def acquire(self, pool):
        return await pool.acquire()

    async def release(self, pool, resource):
        await pool.release(resource)

    async def ask_in_vain(self, pool):
        await pool.acquire(patience=0)


class Managed(Later):
    """The same, which lends for a block."""

    @asynccontextmanager
    async def acquire(self, patience=60):
        found = await Later.acquire(self, patience)
        try:
            yield found
        finally:
            await Later.release(self, found)


class TestPoolOfBlocks(TestAsyncObjectPool):
    """A pool that lends by an asynchronous context manager."""

    def make(self):
        return Managed()

    async def acquire(self, pool):
        block = pool.acquire()
        await block.__aenter__()
        return block

    async def release(self, pool, resource):
        await resource.__aexit__(None, None, None)

    async def ask_in_vain(self, pool):
        async with pool.acquire(patience=0):
            pass


class TestSqlalchemyPool(PoolContract):
    """A pool of connections to SQLite."""

    tells = ("resources", "limit", "idle_limit", "acquisitions", "creations", "timeouts")
    vain = sqlalchemy.exc.TimeoutError

    def make(self):
        return QueuePool(
            lambda: sqlite3.connect(":memory:", check_same_thread=False), pool_size=1, max_overflow=1, timeout=60
        )

    def dispose(self, pool):
        pool.dispose()

    def acquire(self, pool):
        return pool.connect()

    def release(self, pool, resource):
        resource.close()

    def ask_in_vain(self, pool):
        pool._timeout = 0.001
        pool.connect()


class TestSqlalchemyEngine(TestSqlalchemyPool):
    """The pool of an engine."""

    def make(self):
        return sqlalchemy.create_engine(
            "sqlite://",
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=1,
            pool_timeout=60,
            connect_args={"check_same_thread": False},
        )

    def acquire(self, pool):
        return pool.raw_connection()

    def ask_in_vain(self, pool):
        pool.pool._timeout = 0.001
        pool.raw_connection()


class TestSqlalchemyNullPool(TestSqlalchemyPool):
    """A pool that keeps nothing, and never has anyone wait."""

    tells = ("acquisitions", "creations")
    vain = None
    waits = False

    def make(self):
        return NullPool(lambda: sqlite3.connect(":memory:"))


class TestThreadPool(WorkersContract):
    """The standard library's executor."""

    tells = ("limit", "rejections")
    refusal = RuntimeError

    def make(self):
        return ThreadPoolExecutor(2)

    def dispose(self, executor):
        executor.shutdown()
