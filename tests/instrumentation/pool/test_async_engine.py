"""The pool of SQLAlchemy's engine for asyncio, whose requests are coroutines."""

import asyncio
import gc

import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from manometer import instrument_pool
from manometer.testing import AsyncPoolContract

CONNECTION = {"pool_name": "orders", "pool_kind": "connection"}


def make_engine():
    """An engine of at most two connections to a database in memory."""
    return create_async_engine(
        "sqlite+aiosqlite://", poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=1, pool_timeout=60
    )


class TestAsyncEngine(AsyncPoolContract):
    """Each connection is lent and given back by coroutines."""

    tells = ("resources", "limit", "idle_limit", "acquisitions", "creations", "timeouts")
    vain = sqlalchemy.exc.TimeoutError

    def make(self):
        return make_engine()

    async def dispose(self, engine):
        await engine.dispose()
        gc.collect()

    async def acquire(self, engine):
        return await engine.connect()

    async def release(self, engine, connection):
        await connection.close()

    async def ask_in_vain(self, engine):
        engine.pool._timeout = 0.001
        await engine.connect()


def test_tasks_of_an_async_engine_share_its_connections(figures):
    """Of ten transactions at once, two opened a connection."""

    async def use(engine):
        async with engine.begin() as connection:
            await connection.execute(sqlalchemy.text("select 1"))

    async def run():
        engine = instrument_pool(make_engine(), name="orders", registry=figures.registry)
        await asyncio.gather(*(use(engine) for _ in range(10)))
        sources = figures.all("pool_acquisitions_total", "pool_acquisition_source")
        assert sum(sources.values()) == 10
        assert sources["created"] == figures("pool_create_duration_seconds_count", **CONNECTION) == 2
        assert figures("pool_use_duration_seconds_count", **CONNECTION) == 10
        assert figures("pool_pending_requests", **CONNECTION) == 0
        await engine.dispose()

    asyncio.run(run())
