"""Object pools of any make that keep to the interface."""

import sys
import threading

import pytest

from manometer import Binding, UnsupportedError, instrument_pool
from manometer.instrumentation import overlaps, stays
from manometer.instrumentation.clock import measure_by
from manometer.testing import ManualClock
from waiting import joined


class Pool:
    """A pool of lists."""

    limit = 2

    def __init__(self):
        self.free = []
        self.in_use = 0
        self.created = 0

    @property
    def idle(self):
        return len(self.free)

    def acquire(self, error=None):
        if error:
            raise error
        if self.free:
            found = self.free.pop()
        else:
            self.created += 1
            found = []
        self.in_use += 1
        return found

    def release(self, resource):
        self.in_use -= 1
        self.free.append(resource)


def test_an_object_pool_tells_the_same_as_any_pool(figures):
    """State is read off the pool; reuse, waits and uses are counted as they happen."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    pool.release(pool.acquire())
    taken = pool.acquire()
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 1, "idle": 0}
    pool.release(taken)
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 1, "reused": 1}
    assert figures("pool_resource_limit", pool_name="orders", pool_kind="object") == 2
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 2
    assert figures("pool_wait_duration_seconds_count", pool_kind="object") == 2


class Lender:
    """A pool that has nothing more than it has to."""

    in_use = 0

    def acquire(self):
        self.in_use += 1
        return []

    def release(self, resource):
        self.in_use -= 1


@pytest.mark.parametrize("has", [{}, {"idle": 3}, {"limit": 4}, {"created": 5}])
def test_what_a_pool_does_not_tell_has_no_series(figures, caplog, has):
    """All else is measured."""
    pool = Lender()
    vars(pool).update(has)
    instrument_pool(pool, name="orders", registry=figures.registry)
    taken = pool.acquire()
    idle = {"idle": 3} if "idle" in has else {}
    assert figures.all("pool_resources", "pool_resource_state") == {"used": 1, **idle}
    pool.release(taken)
    assert figures.all("pool_resource_limit", "pool_name") == ({"orders": 4} if "limit" in has else {})
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == (
        {"created": 0, "reused": 1} if "created" in has else {}
    )
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 1
    assert figures("pool_wait_duration_seconds_count", pool_kind="object") == 1
    assert caplog.records == []


class Slotted:
    """A pool of one object, which has no dictionary and takes no weak references."""

    __slots__ = ("created", "idle", "in_use", "limit")

    def __init__(self):
        self.created = self.idle = self.limit = 1
        self.in_use = 0

    def acquire(self):
        self.in_use, self.idle = 1, 0
        return self

    def release(self, resource):
        self.in_use, self.idle = 0, 1


def test_a_pool_without_a_dictionary_is_measured(figures):
    """Its class is free to have slots."""
    pool = instrument_pool(Slotted(), name="orders", registry=figures.registry)
    pool.release(pool.acquire())
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 0, "reused": 1}
    Binding.of(pool).close()
    assert type(pool) is Slotted


def test_a_wait_in_vain_is_a_timeout_and_all_else_a_refusal(figures):
    """The pool's own exceptions pass through."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    with pytest.raises(TimeoutError):
        pool.acquire(TimeoutError())
    with pytest.raises(RuntimeError, match="full"):
        pool.acquire(error=RuntimeError("full"))
    assert figures("pool_timeouts_total") == 1
    assert figures("pool_rejections_total") == 1


def test_closing_gives_the_pool_back_as_it_was(figures):
    """No method of ours is left on it."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    Binding.of(pool).close()
    assert type(pool) is Pool


def test_what_keeps_to_no_interface_is_refused(figures):
    """The message tells the interface."""
    with pytest.raises(UnsupportedError, match=r"acquire\(\), release\(\) and in_use"):
        instrument_pool([], name="orders", registry=figures.registry)


def test_an_object_comes_back_by_whatever_name_the_pool_has_for_it(figures):
    """A keyword is as good as a place."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    pool.release(resource=pool.acquire())
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 1


@pytest.fixture
def clock(figures):
    """Moves the time that pools see; returns a function that sets it."""
    manual = ManualClock()
    measure_by(figures.registry, manual)
    return lambda seconds: setattr(manual, "now", seconds)


def test_waits_and_uses_last_as_long_as_they_do(figures, clock):
    """A wait ends with the resource, a use with its return."""

    class Slow(Pool):
        """Takes three seconds to lend."""

        def acquire(self, error=None):
            clock(13.0)
            return super().acquire(error)

    pool = instrument_pool(Slow(), name="orders", registry=figures.registry)
    clock(10.0)
    taken = pool.acquire()
    clock(20.5)
    pool.release(taken)
    assert figures("pool_wait_duration_seconds_sum", pool_kind="object") == 3
    assert figures("pool_use_duration_seconds_sum", pool_kind="object") == 7.5
    clock(9.0)
    with pytest.raises(TimeoutError):  # it waited as well
        pool.acquire(TimeoutError())
    assert figures("pool_wait_duration_seconds_sum", pool_kind="object") == 3 + 4


class Semaphore(Pool):
    """Has nothing to give back."""

    def acquire(self):
        self.in_use += 1
        return True

    def release(self):
        self.in_use -= 1


def test_a_pool_that_takes_nothing_back_has_no_uses(figures):
    """It is not told which of them ends."""
    pool = instrument_pool(Semaphore(), name="orders", registry=figures.registry)
    pool.acquire()
    pool.release()
    assert pool.in_use == 0
    assert figures("pool_wait_duration_seconds_count", pool_kind="object") == 1
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 0


def test_the_uses_of_too_many_resources_are_not_timed(figures, monkeypatch):
    """What is lent and never given back costs bounded memory."""
    monkeypatch.setattr(stays, "AT_MOST", 2)
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    for taken in [pool.acquire() for _ in range(3)]:
        pool.release(taken)
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 2


def test_a_use_past_the_limit_is_not_timed_from_that_of_a_lost_resource(figures, monkeypatch):
    """Which had the id that the resource has now."""
    monkeypatch.setattr(stays, "AT_MOST", 1)
    pool = instrument_pool(Permits(object()), name="orders", registry=figures.registry)
    pool.acquire()
    pool.release(pool.acquire())
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 0


class Permits(Pool):
    """Lends the same object to everyone: a number, or one resource that all share."""

    def __init__(self, permit):
        super().__init__()
        self.permit = permit

    def acquire(self):
        self.in_use += 1
        return self.permit

    def release(self, resource):
        self.in_use -= 1


@pytest.mark.parametrize("permit", [1, "slot", Pool()])
def test_uses_of_one_object_that_overlap_are_timed_each(figures, clock, permit):
    """The sum and the count are right, whichever use a return ends."""
    pool = instrument_pool(Permits(permit), name="orders", registry=figures.registry)
    for second in (1.0, 2.0, 4.0):
        clock(second)
        pool.acquire()
    for second in (8.0, 16.0, 32.0, 64.0):  # the last return is one too many
        clock(second)
        pool.release(permit)
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 3
    assert figures("pool_use_duration_seconds_sum", pool_kind="object") == (8 + 16 + 32) - (1 + 2 + 4)
    clock(100.0)
    pool.acquire()
    clock(101.0)
    pool.release(permit)
    assert figures("pool_use_duration_seconds_sum", pool_kind="object") == (8 + 16 + 32) - (1 + 2 + 4) + 1


def test_overlapping_uses_on_many_threads_are_all_timed(figures):
    """None is lost, whatever happens at once."""
    permit = Pool()
    pool = instrument_pool(Permits(permit), name="orders", registry=figures.registry)

    def use():
        for _ in range(500):
            pool.release(pool.acquire())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        joined(*threads)
    finally:
        sys.setswitchinterval(interval)
    assert figures("pool_use_duration_seconds_count", pool_kind="object") == 4000


class Leases(Pool):
    """Lends a lease on an object, which gives back the object."""

    class Lease:
        pass

    def acquire(self):
        super().acquire()
        return self.Lease()


def test_an_object_that_was_not_lent_ends_no_use(figures):
    """Leases die without a return; those that have their address later are others."""
    pool = instrument_pool(Leases(), name="orders", registry=figures.registry)
    for _ in range(20):
        pool.acquire()
    lent = pool.acquire()
    for _ in range(3):
        pool.release(lent)
    assert figures("pool_use_duration_seconds_count", pool_kind="object") <= 2


def test_what_is_never_given_back_costs_bounded_memory(figures, monkeypatch):
    """The oldest of the uses that overlap are forgotten."""
    monkeypatch.setattr(overlaps, "_AT_MOST", 10)
    pool = instrument_pool(Permits(1), name="orders", registry=figures.registry)
    for _ in range(100):
        pool.acquire()
    for _ in range(100):
        pool.release(1)
    assert figures("pool_use_duration_seconds_count", pool_kind="object") <= 11


class Static(Pool):
    """Lends by a function that knows no pool."""

    @staticmethod
    def acquire():
        return []


class Patched(Pool):
    """Lends by a function of the object's own."""

    def __init__(self):
        super().__init__()
        self.acquire = list


class Sealing(type):
    """A class of classes that take no subclass."""

    def __new__(cls, name, bases, body):
        if any(isinstance(base, Sealing) for base in bases):
            raise TypeError("final")
        return super().__new__(cls, name, bases, body)


class Final(Pool, metaclass=Sealing):
    """Takes no subclass."""


class Generating(Pool):
    """Lends by a generator, of which it makes no context manager."""

    def acquire(self):
        yield super().acquire()


class Proxy:
    """Has no method of its own."""

    def __getattr__(self, name):
        return getattr(self.__dict__.setdefault("pool", Pool()), name)


@pytest.mark.parametrize("kind", [Static, Patched, Generating, Proxy])
def test_a_pool_that_cannot_be_measured_is_refused_and_left_as_it_was(figures, kind):
    """Better no figures than made-up ones; nothing is left on the registry."""
    pool = kind()
    with pytest.raises(UnsupportedError, match=r"measured|subclass"):
        instrument_pool(pool, name="orders", registry=figures.registry)
    assert type(pool) is kind
    assert figures("pool_pending_requests", pool_name="orders") is None


class Forgetful(Pool):
    """Does not always know how much it has made; `knows` says so of each time that it is asked."""

    def __init__(self, knows=()):
        self.knows = iter(knows)
        super().__init__()

    @property
    def created(self):
        return self.made if next(self.knows, True) else {}["created"]

    @created.setter
    def created(self, made):
        self.made = made

    def acquire(self):
        self.made += 1
        return []


def test_a_pool_that_cannot_say_what_it_made_is_not_guessed_at(figures, caplog):
    """Its callers notice nothing, its acquisitions have no count, and the log says so when that begins and ends."""
    caplog.set_level("INFO")
    pool = instrument_pool(Forgetful(), name="orders", registry=figures.registry)
    pool.acquire()
    pool.knows = iter([False, False])
    for _ in range(2):
        assert pool.acquire() == []
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 1, "reused": 0}
    pool.acquire()
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [
        ("ERROR", True),
        ("INFO", False),
    ]
    assert caplog.records[0].message.startswith("pool/orders/object does not tell what it lends")
    assert caplog.records[1].message == "pool/orders/object tells again what it lends"
    assert figures.all("pool_acquisitions_total", "pool_acquisition_source") == {"created": 2, "reused": 0}
