"""Pools of other libraries: what goes back by itself, what takes a pool's place, and who has the pool."""

import asyncio
import copy
import gc
from dataclasses import replace
from operator import attrgetter

import pytest

from manometer import BindingError
from manometer.adapter import Bind, Binding, PoolAdapter, PoolState
from manometer.instrumentation.subject import Subject
from manometer.testing import Figures, ManualClock, PoolContract


class Handle:
    """What the program holds of a connection."""

    def __init__(self, pool, connection):
        self.pool, self.connection = pool, connection

    def close(self):
        self.pool.returned(self.connection)
        return "closed"

    async def aclose(self):
        return self.close()


class Pool:
    """A pool of two connections, which makes them by a function that it was given."""

    def __init__(self, make):
        self.make, self.free, self.out = make, [], 0

    def lend(self, patience=60):
        if self.out == 2:
            raise TimeoutError
        connection = self.free.pop() if self.free else self.make()
        self.out += 1
        return Handle(self, connection)

    def returned(self, connection):
        self.out -= 1
        self.free.append(connection)

    def another(self):
        return type(self)(self.make)


class Client:
    """What the program passes: it has a pool, and takes another one for it."""

    def __init__(self):
        self.pool = Pool(object)

    def reconnect(self):
        self.pool = self.pool.another()


def read(pool):
    """What the pool tells."""
    return PoolState(used=pool.out, idle=len(pool.free), limit=2)


by_handle = PoolAdapter(
    takes=Pool,
    kind="connection",
    read=read,
    pool_of=lambda target: getattr(target, "pool", target),
    successor="another",
    acquire="lend",
    ends=("close", "aclose"),
    create="make",
    timeouts=(TimeoutError,),
)


def bind(figures, name="p"):
    """What ties a pool to its series, on the registry of these figures."""
    return Bind(Subject.on(figures.registry, "pool"), {"pool.name": name})


class TestHandles(PoolContract):
    """A pool whose handles go back."""

    tells = ("resources", "limit", "acquisitions", "creations", "timeouts")
    vain = TimeoutError
    waits = False

    def make(self):
        return Pool(object)

    def instrument(self, target, name, figures):
        return by_handle(target, bind(figures, name))

    def acquire(self, pool):
        return pool.lend()

    def release(self, _pool, handle):
        handle.close()

    def ask_in_vain(self, pool):
        pool.lend(patience=0)


class TestClient(TestHandles):
    """The pool of something else."""

    def make(self):
        return Client()

    def acquire(self, client):
        return client.pool.lend()

    def ask_in_vain(self, client):
        client.pool.lend()


class TestConnections(TestHandles):
    """The pool hears of what comes back, which is a part of what it lent."""

    def instrument(self, target, name, figures):
        adapter = PoolAdapter(
            takes=Pool,
            kind="connection",
            read=read,
            acquire="lend",
            release="returned",
            lent=attrgetter("connection"),
            create="make",
            timeouts=(TimeoutError,),
        )
        return adapter(target, bind(figures, name))


def test_a_handle_ends_its_use_once():
    """By its methods, plain or not, or with its own end; it is of its own class to whoever asks."""
    clock = ManualClock()
    figures = Figures(clock=clock)
    pool = by_handle(Pool(object), bind(figures))
    first, second = pool.lend(), pool.lend()
    assert isinstance(first, Handle)
    assert type(first) is type(second)
    clock.advance(2)
    assert first.close() == "closed"
    clock.advance(1)
    assert asyncio.run(second.aclose()) == "closed"
    assert (figures("pool_use_duration_seconds_sum"), figures("pool_use_duration_seconds_count")) == (5, 2)
    forgotten = pool.lend()
    del first, second, forgotten
    gc.collect()
    assert figures("pool_use_duration_seconds_count") == 3


def test_a_handle_that_changes_hands_is_a_plain_one():
    """Its copy is of the library's class, and no class of the program hears of ours."""
    heard = []

    class Watched(Handle):
        def __init_subclass__(cls):
            heard.append(cls)

    class Watching(Pool):
        def lend(self):
            return Watched(self, self.make())

    pool = by_handle(Watching(object), bind(Figures()))
    handle = pool.lend()
    assert type(copy.copy(handle)) is Watched
    assert heard == []


def test_figures_go_on_with_the_pool_that_takes_the_place():
    """A pool that is made and put nowhere is a plain one."""
    figures = Figures()
    client = by_handle(Client(), bind(figures))
    before = client.pool
    client.pool.lend().close()
    client.reconnect()
    assert client.pool is not before
    client.pool.lend().close()
    assert figures("pool_wait_duration_seconds_count") == figures("pool_create_duration_seconds_count") == 2
    with pytest.raises(BindingError, match="already bound"):
        by_handle(client.pool, bind(figures, "again"))
    Binding.of(client).close()
    assert type(client.pool) is Pool
    alone = by_handle(Pool(object), bind(figures, "alone"))
    assert type(alone.another()) is Pool


def test_a_pool_is_measured_once_be_it_passed_by_itself_or_with_what_has_it():
    """Also one that makes no other in its place."""
    figures, adapter = Figures(), replace(by_handle, successor="")
    client = adapter(Client(), bind(figures))
    gc.collect()
    for again in (client, client.pool):
        with pytest.raises(BindingError, match="pool/p/connection is already bound"):
            adapter(again, bind(figures, "again"))
    Binding.of(client).close()
    adapter(client.pool, bind(figures, "again")).lend().close()
    assert figures("pool_use_duration_seconds_count") == 1


def test_a_pool_that_cannot_be_measured_takes_the_place_all_the_same(caplog):
    """The program does not suffer; the log says what is missing."""

    class Other:
        __slots__ = ("make",)

    figures = Figures()
    client = by_handle(Client(), bind(figures))
    client.pool.make, made = object, Other()
    type(client.pool).__mro__[1].another, another = (lambda _: made), Pool.another
    try:
        client = by_handle(Client(), bind(figures))
        client.reconnect()
    finally:
        Pool.another = another
    assert client.pool is made
    assert "is not measured" in caplog.text
