"""What stands for an object whose class takes no graft."""

import asyncio
import copy
import gc
import logging
import pickle
import queue
import weakref

import pytest

from manometer import Binding, BindingError, instrument_pool
from manometer.instrumentation.drop_in import measurable, original


class Sealing(type):
    """A class of classes that take no subclass, as those of compiled code may be."""

    def __new__(cls, name, bases, body):
        if any(isinstance(base, Sealing) for base in bases):
            raise TypeError("final")
        return super().__new__(cls, name, bases, body)


class Pool(metaclass=Sealing):
    """A pool of one list, which takes no subclass."""

    def __init__(self):
        self.free, self.in_use = [[]], 0

    def acquire(self):
        self.in_use += 1
        return self.free.pop()

    def release(self, resource):
        self.in_use -= 1
        self.free.append(resource)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.free.clear()

    def __len__(self):
        return len(self.free)

    def __iter__(self):
        return iter(self.free)

    async def drain(self):
        await asyncio.sleep(0)
        return self


@pytest.fixture
def pool(figures):
    """The drop-in of a pool, and the pool."""
    plain = Pool()
    return instrument_pool(plain, name="orders", registry=figures.registry), plain


def test_a_class_that_takes_no_subclass_is_measured(figures, pool):
    """By what is done through the drop-in."""
    drop_in, plain = pool
    assert drop_in is not plain
    taken = drop_in.acquire()
    assert figures("pool_resources", pool_resource_state="used") == 1
    drop_in.release(taken)
    assert figures("pool_wait_duration_seconds_count") == 1
    assert figures("pool_use_duration_seconds_count") == 1
    plain.release(plain.acquire())
    assert figures("pool_wait_duration_seconds_count") == 1


def test_a_drop_in_is_what_it_stands_for(pool):
    """To `isinstance`, to operators, to who reads or sets an attribute, in a `with` statement."""
    drop_in, plain = pool
    assert isinstance(drop_in, Pool)
    assert drop_in.__class__ is Pool
    assert type(drop_in).__name__ == "Pool"
    assert (len(drop_in), list(drop_in)) == (1, [[]])
    drop_in.note = 7
    assert (plain.note, drop_in.note) == (7, 7)
    del drop_in.note
    assert not hasattr(plain, "note")
    assert drop_in == drop_in
    assert {drop_in: 1}[drop_in] == 1
    assert asyncio.run(drop_in.drain()) is drop_in
    with drop_in as entered:
        assert entered is drop_in
    assert not plain.free


def test_a_copy_of_a_drop_in_is_one_of_the_object(pool):
    """And measures nothing."""
    drop_in, plain = pool
    for twin in (copy.copy(drop_in), pickle.loads(pickle.dumps(drop_in))):
        assert type(twin) is Pool
        assert vars(twin) == vars(plain)


def test_a_closed_drop_in_goes_on(figures, pool):
    """And counts nothing; the object may be instrumented again."""
    drop_in, plain = pool
    with pytest.raises(BindingError, match="already bound"):
        instrument_pool(plain, name="again", registry=figures.registry)
    Binding.of(drop_in).close()
    drop_in.release(drop_in.acquire())
    assert figures("pool_wait_duration_seconds_count") is None
    instrument_pool(plain, name="again", registry=figures.registry)


@pytest.mark.parametrize("used", [False, True])
def test_a_drop_in_that_is_thrown_away_unused_says_so_once(figures, caplog, used):
    """Of a pool, too."""
    drop_in = instrument_pool(Pool(), name="orders", registry=figures.registry)
    if used:
        drop_in.release(drop_in.acquire())
    del drop_in
    gc.collect()
    caplog.set_level(logging.WARNING)
    figures("pool_resources")
    figures("pool_resources")
    assert len(caplog.messages) == (0 if used else 1)


def test_objects_of_compiled_classes_have_drop_ins():
    """Such as a queue of the standard library's C code; an object that takes a graft needs none."""
    plain = queue.SimpleQueue()
    drop_in = measurable(plain)
    drop_in.put(1)
    assert (original(drop_in), original(plain)) == (plain, plain)
    assert (plain.get(), drop_in.empty(), isinstance(drop_in, queue.SimpleQueue)) == (1, True, True)
    grafted = queue.Queue()
    assert measurable(grafted) is grafted
    assert type(grafted) is queue.Queue


def test_a_drop_in_holds_its_object_and_nothing_holds_the_drop_in(pool):
    """Both die with the program's last hold on the drop-in."""
    drop_in, plain = pool
    gone = weakref.ref(drop_in), weakref.ref(plain)
    del plain, pool
    gc.collect()
    assert gone[1]() is not None
    del drop_in
    gc.collect()
