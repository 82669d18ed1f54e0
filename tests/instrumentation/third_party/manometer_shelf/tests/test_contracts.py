"""The adapters keep to Manometer's contracts."""

import shelf

from manometer.testing import AsyncPoolContract, CacheContract, QueueContract, WorkersContract


class TestCache(CacheContract):
    """A cache of two entries."""

    tells = ("lookups", "entries", "limit", "evictions", "loads")

    def make(self):
        return shelf.Cache(2)

    def look_up(self, cache, key):
        return cache.get_or_make(key, lambda key: key * 10)


class TestPool(AsyncPoolContract):
    """A pool of two lists."""

    tells = ("resources", "limit", "acquisitions", "creations", "timeouts")
    vain = shelf.Timeout

    def make(self):
        return shelf.Pool(list, 2)

    async def acquire(self, pool):
        return await pool.take()

    async def release(self, pool, resource):
        await pool.give(resource)

    async def ask_in_vain(self, pool):
        await pool.take(patience=0)


class TestQueue(QueueContract):
    """A queue without an end."""

    tells = ("items",)

    def make(self):
        return shelf.Queue()

    def put(self, queue, item):
        queue.push(item)

    def get(self, queue):
        return queue.pull()


class TestCrew(WorkersContract):
    """Two threads."""

    tells = ("limit", "rejections")
    refusal = shelf.Timeout

    def make(self):
        return shelf.Crew(2)

    def submit(self, executor, function, *args):
        return executor.run(function, *args)

    def result(self, future):
        return future.wait(60)

    def dispose(self, executor):
        executor.close()
