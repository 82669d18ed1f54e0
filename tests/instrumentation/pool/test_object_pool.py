"""Object pools of any make that keep to the interface."""

import pytest

from manometer import Binding, UnsupportedError, instrument_pool


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
    assert figures.all("pool_resources", "state") == {"used": 1, "idle": 0}
    pool.release(taken)
    assert figures.all("pool_acquisitions_total", "source") == {"created": 1, "reused": 1}
    assert figures("pool_resources_limit", pool="orders", kind="object") == 2
    assert figures("pool_use_duration_seconds_count", kind="object") == 2
    assert figures("pool_wait_duration_seconds_count", kind="object") == 2


def test_a_wait_in_vain_is_a_timeout_and_all_else_a_refusal(figures):
    """The pool's own exceptions pass through."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    for error in (TimeoutError(), RuntimeError("full")):
        with pytest.raises(type(error)):
            pool.acquire(error)
    assert figures("pool_timeouts_total") == 1
    assert figures("pool_rejections_total") == 1


def test_closing_gives_the_pool_back_as_it_was(figures):
    """No method of ours is left on it."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    Binding.of(pool).close()
    assert type(pool) is Pool


def test_what_keeps_to_no_interface_is_refused(figures):
    """The message tells the interface."""
    with pytest.raises(UnsupportedError, match=r"acquire\(\), release\(\), in_use, idle, limit and created"):
        instrument_pool([], name="orders", registry=figures.registry)


def test_a_pool_that_cannot_tell_does_not_fail_its_callers(figures):
    """A broken figure costs the figure; the object is handed out."""

    class Secretive(Pool):
        """A pool whose count of objects can be asked for once."""

        asked = False

        @property
        def created(self):
            if self.asked:
                raise RuntimeError
            self.asked = True
            return 0

        @created.setter
        def created(self, value):
            """Nobody is told."""

        def acquire(self):
            return []

    pool = instrument_pool(Secretive(), name="orders", registry=figures.registry)
    assert pool.acquire() == []


def test_an_object_comes_back_by_whatever_name_the_pool_has_for_it(figures):
    """A keyword is as good as a place."""
    pool = instrument_pool(Pool(), name="orders", registry=figures.registry)
    pool.release(resource=pool.acquire())
    assert figures("pool_use_duration_seconds_count", kind="object") == 1


class Static(Pool):
    """Lends by a function that knows no pool."""

    @staticmethod
    def acquire():
        return []


class Async(Pool):
    """Lends by a coroutine, whose call is no request yet."""

    async def acquire(self):
        return []


class Patched(Pool):
    """Lends by a function of the object's own."""

    def __init__(self):
        super().__init__()
        self.acquire = list


class Final(Pool):
    """Takes no subclass."""

    def __init_subclass__(cls):
        raise TypeError("final")


class Proxy:
    """Has no method of its own."""

    def __getattr__(self, name):
        return getattr(self.__dict__.setdefault("pool", Pool()), name)


@pytest.mark.parametrize("kind", [Static, Async, Patched, Final, Proxy])
def test_a_pool_that_cannot_be_measured_is_refused_and_left_as_it_was(figures, kind):
    """Better no figures than made-up ones; nothing is left on the registry."""
    pool = kind()
    with pytest.raises(UnsupportedError, match=r"measured|subclass"):
        instrument_pool(pool, name="orders", registry=figures.registry)
    assert type(pool) is kind
    assert figures("pool_pending_requests", pool="orders") is None


class Silent(Pool):
    """Will lose count of what it made."""

    def acquire(self):
        self.in_use += 1
        return []


def test_a_pool_that_cannot_say_what_it_made_is_not_guessed_at(figures, caplog):
    """Its callers notice nothing, its acquisitions have no count, and the log says so once."""
    pool = instrument_pool(Silent(), name="orders", registry=figures.registry)
    Silent.created = property(lambda self: {}["created"])
    for _ in range(3):
        assert pool.acquire() == []
    assert figures.all("pool_acquisitions_total", "source") == {"created": 0, "reused": 0}
    assert caplog.text.count("does not tell") == 1
