"""Pools of connections to real servers keep to the contract of pools."""

from contextlib import contextmanager

import asyncpg
import psycopg
import psycopg2.pool
import psycopg_pool
import pytest
import redis
import redis.asyncio

import manometer
from manometer.testing import AsyncPoolContract, PoolContract
from postgres_server import postgres_server
from redis_server import redis_server

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def servers(program, tmp_path_factory):
    """The addresses of a PostgreSQL and a Redis."""
    found = program("redis-server", "redis-server")
    with postgres_server() as postgres, redis_server(tmp_path_factory.mktemp("redis"), found) as socket:
        yield {"postgres": postgres.url, "redis": f"unix://{socket}"}


class OfServers:
    """What the pools here share: where the servers are, and how their pools are made, asked and closed."""

    @pytest.fixture(autouse=True)
    def reach(self, servers):
        """So that `make` knows."""
        self.servers = servers


class TestPsycopg(OfServers, PoolContract):
    """A blocking pool of psycopg_pool."""

    tells = ("resources", "limit", "idle_minimum", "acquisitions", "creations", "timeouts", "rejections")
    vain = psycopg_pool.PoolTimeout
    kind = psycopg_pool.ConnectionPool

    def make(self):
        pool = self.kind(self.servers["postgres"], min_size=1, max_size=2, open=False)
        pool.open(wait=True)
        return pool

    def acquire(self, pool):
        return pool.getconn()

    def release(self, pool, resource):
        pool.putconn(resource)

    def ask_in_vain(self, pool):
        pool.getconn(timeout=0.01)

    def dispose(self, target):
        target.close()


class TestPsycopgNull(TestPsycopg):
    """One that keeps no connection."""

    kind = psycopg_pool.NullConnectionPool

    def make(self):
        pool = self.kind(self.servers["postgres"], max_size=2, open=False)
        pool.open(wait=True)
        return pool


class TestPsycopg2(OfServers, PoolContract):
    """A pool of psycopg2."""

    tells = ("resources", "limit", "idle_limit", "acquisitions", "creations", "rejections")
    vain = psycopg2.pool.PoolError
    waits = False

    def make(self):
        return psycopg2.pool.ThreadedConnectionPool(1, 2, self.servers["postgres"])

    def acquire(self, pool):
        return pool.getconn()

    def release(self, pool, resource):
        pool.putconn(resource)

    def ask_in_vain(self, pool):
        pool.getconn()

    def dispose(self, target):
        target.closeall()


class TestAsyncPsycopg(OfServers, AsyncPoolContract):
    """An asynchronous pool of psycopg_pool."""

    tells = TestPsycopg.tells
    vain = psycopg_pool.PoolTimeout

    async def make(self):
        pool = psycopg_pool.AsyncConnectionPool(self.servers["postgres"], min_size=1, max_size=2, open=False)
        await pool.open(wait=True)
        return pool

    async def acquire(self, pool):
        return await pool.getconn()

    async def release(self, pool, resource):
        await pool.putconn(resource)

    async def ask_in_vain(self, pool):
        await pool.getconn(timeout=0.01)

    async def dispose(self, target):
        await target.close()


class TestAsyncpg(OfServers, AsyncPoolContract):
    """A pool of asyncpg."""

    tells = ("resources", "limit", "idle_minimum", "acquisitions", "creations", "timeouts")
    vain = TimeoutError

    async def make(self):
        return await asyncpg.create_pool(self.servers["postgres"], min_size=1, max_size=2)

    async def acquire(self, pool):
        return await pool.acquire()

    async def release(self, pool, resource):
        await pool.release(resource)

    async def ask_in_vain(self, pool):
        await pool.acquire(timeout=0.01)

    async def dispose(self, target):
        await target.close()


class TestRedis(OfServers, PoolContract):
    """A pool of redis-py that refuses who comes when all are out."""

    tells = ("resources", "limit", "acquisitions", "rejections")
    vain = redis.ConnectionError
    waits = False
    kind = redis.ConnectionPool

    def make(self):
        return self.kind.from_url(self.servers["redis"], max_connections=2)

    def acquire(self, pool):
        return pool.get_connection()

    def release(self, pool, resource):
        pool.release(resource)

    def ask_in_vain(self, pool):
        pool.get_connection()

    def dispose(self, target):
        target.disconnect()


class TestBlockingRedis(TestRedis):
    """One in which who comes then waits."""

    tells = ("resources", "limit", "acquisitions", "timeouts")
    vain = redis.ConnectionError
    waits = True
    kind = redis.BlockingConnectionPool

    def ask_in_vain(self, pool):
        with without_patience(pool):
            pool.get_connection()


class TestAsyncRedis(OfServers, AsyncPoolContract):
    """A pool of redis-py's asynchronous clients."""

    tells = TestRedis.tells
    vain = redis.ConnectionError
    waits = False
    kind = redis.asyncio.ConnectionPool

    def make(self):
        return self.kind.from_url(self.servers["redis"], max_connections=2)

    async def acquire(self, pool):
        return await pool.get_connection()

    async def release(self, pool, resource):
        await pool.release(resource)

    async def ask_in_vain(self, pool):
        await pool.get_connection()

    async def dispose(self, target):
        await target.disconnect()


class TestAsyncBlockingRedis(TestAsyncRedis):
    """One in which who comes then waits."""

    tells = TestBlockingRedis.tells
    vain = redis.ConnectionError
    waits = True
    kind = redis.asyncio.BlockingConnectionPool

    async def ask_in_vain(self, pool):
        with without_patience(pool):
            await pool.get_connection()


@contextmanager
def without_patience(pool):
    """A time-out of next to nothing."""
    usual, pool.timeout = pool.timeout, 0.01
    yield
    pool.timeout = usual


def test_a_block_is_a_use_and_the_server_has_as_many_connections(servers, figures):
    """By the server's own count."""
    asking = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"
    address = f"{servers['postgres']}?application_name=counted"
    with psycopg_pool.ConnectionPool(address, min_size=2, max_size=4, open=True) as pool:
        pool.wait()
        manometer.instrument_pool(pool, name="counted", registry=figures.registry)
        with pool.connection() as first, pool.connection(), pool.connection():
            resources = figures.all("pool_resources", "pool_resource_state")
            assert (resources, first.execute(asking).fetchone()[0]) == ({"used": 3, "idle": 0}, 3)
        assert figures("pool_use_duration_seconds_count") == 3


def test_connections_that_the_server_ended_are_made_anew(servers, figures):
    """They are acquisitions of new ones, and their opening is timed."""
    with psycopg_pool.ConnectionPool(servers["postgres"], min_size=1, max_size=1, open=True) as pool:
        pool.wait()
        manometer.instrument_pool(pool, name="ended", registry=figures.registry)
        with pytest.raises(psycopg.OperationalError), pool.connection() as connection:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"reused": 1, "created": 1}
        assert figures("pool_create_duration_seconds_count") == 1


async def test_a_block_of_asyncpg_is_a_use(servers, figures):
    """As is a query of the pool itself, which takes a connection for it."""
    async with asyncpg.create_pool(servers["postgres"], min_size=1, max_size=2) as pool:
        manometer.instrument_pool(pool, name="asked", registry=figures.registry)
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1
            assert figures("pool_resources", pool_resource_state="used") == 1
        assert await pool.fetchval("SELECT 2") == 2
        assert figures("pool_use_duration_seconds_count") == 2


def test_a_client_of_redis_is_measured_by_its_pool(servers, figures):
    """Each command is a use of a connection, and so is a pipeline."""
    with redis.Redis.from_url(servers["redis"]) as client:
        assert manometer.instrument_pool(client, name="asked", registry=figures.registry) is client
        client.set("a", 1)
        with client.pipeline() as pipeline:
            pipeline.get("a").get("b")
            assert pipeline.execute() == [b"1", None]
        assert figures("pool_use_duration_seconds_count") == 2
        assert figures.all("pool_resources", "pool_resource_state") == {"used": 0, "idle": 1}


async def test_an_asynchronous_client_of_redis_is_measured_by_its_pool(servers, figures):
    """By the same figures."""
    async with redis.asyncio.Redis.from_url(servers["redis"]) as client:
        manometer.instrument_pool(client, name="asked", registry=figures.registry)
        await client.set("a", 1)
        assert figures("pool_use_duration_seconds_count") == 1


def test_a_server_that_is_not_there_is_no_timeout(figures, tmp_path):
    """Nobody waited for a place."""
    pool = redis.BlockingConnectionPool.from_url(f"unix://{tmp_path / 'none'}", max_connections=2)
    manometer.instrument_pool(pool, name="gone", registry=figures.registry)
    with pytest.raises(redis.ConnectionError):
        redis.Redis(connection_pool=pool).ping()
    assert figures("pool_timeouts_total") == 0
