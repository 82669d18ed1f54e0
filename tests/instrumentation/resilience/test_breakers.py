"""Circuit breakers by pybreaker."""

import gc
import weakref

import pybreaker
import pytest

from manometer import Binding, UnsupportedError, instrument_breaker, instrument_retry


@pytest.fixture
def breaker(figures):
    """An instrumented breaker that opens at the second failure."""
    return instrument_breaker(
        pybreaker.CircuitBreaker(fail_max=2, reset_timeout=3600), name="broker", registry=figures.registry
    )


def fail():
    """An operation that does not work."""
    raise ConnectionError


def trip(breaker):
    """Two failures: the second opens the breaker."""
    for error in (ConnectionError, pybreaker.CircuitBreakerError):
        with pytest.raises(error):
            breaker.call(fail)


def test_the_state_is_read_off_the_breaker(figures, breaker):
    """One of the three states is 1, and it is the breaker's own word that counts."""

    def state():
        return [state for state, on in figures.all("breaker_state", "breaker_state").items() if on]

    assert state() == ["closed"]
    trip(breaker)
    assert state() == ["open"]
    breaker.half_open()
    assert state() == ["half_open"]


def test_calls_are_told_by_their_outcome(figures, breaker):
    """The failure that trips the breaker is an error; what comes after is rejected."""
    breaker.call(abs, 1)
    trip(breaker)
    for _ in range(3):
        with pytest.raises(pybreaker.CircuitBreakerError):
            breaker.call(abs, 1)
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 1, "error": 2, "rejected": 3}


def test_the_operations_own_error_passes_through_where_the_breaker_lets_it(figures):
    """The failure that opens the breaker is an error of the operation, and is counted."""
    breaker = pybreaker.CircuitBreaker(fail_max=1, throw_new_error_on_trip=False)
    instrument_breaker(breaker, name="broker", registry=figures.registry)
    with pytest.raises(ConnectionError):
        breaker.call(fail)
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 0, "error": 1, "rejected": 0}
    assert figures("breaker_state", breaker_state="open") == 1


def test_a_trial_call_counts_once(figures, breaker):
    """After the time-out, one call is let through within the refused one."""
    trip(breaker)
    breaker.reset_timeout = 0
    assert breaker.call(int, "11", base=2) == 3
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 1, "error": 2, "rejected": 0}
    assert figures.all("breaker_transitions_total", "breaker_state") == {"closed": 1, "open": 1, "half_open": 1}


def test_decorated_functions_and_blocks_count(figures, breaker):
    """However the breaker is used, its calls are counted."""

    @breaker
    def operation():
        return 1

    operation()
    with breaker.calling():
        pass
    assert figures("breaker_calls_total", breaker_call_outcome="ok") == 2


def test_closing_leaves_the_breaker_as_it_was(figures, breaker):
    """No method of ours stays, on the breaker or on its state."""
    trip(breaker)
    Binding.of(breaker).close()
    assert type(breaker) is pybreaker.CircuitBreaker
    assert type(breaker.state) is pybreaker.CircuitOpenState


def test_the_breakers_listeners_are_the_programs_own(breaker):
    """Nothing is added to them."""
    assert breaker.listeners == ()


class Remote(pybreaker.CircuitMemoryStorage):
    """A storage that is elsewhere: each look at the state is a round trip, and may take for ever."""

    asked = 0

    @property
    def state(self):
        Remote.asked += 1
        return super().state

    @state.setter
    def state(self, state):
        pybreaker.CircuitMemoryStorage.state.fset(self, state)


def test_a_collection_asks_the_storage_nothing(figures):
    """The state that this process saw last is told; a change made elsewhere shows with the next call."""
    storage = Remote(pybreaker.STATE_CLOSED)
    breaker = pybreaker.CircuitBreaker(state_storage=storage, exclude=[KeyError])
    instrument_breaker(breaker, name="broker", registry=figures.registry)
    before = Remote.asked
    assert figures("breaker_state", breaker_state="closed") == 1
    storage.state = pybreaker.STATE_HALF_OPEN
    assert figures("breaker_state", breaker_state="closed") == 1
    assert Remote.asked == before
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(fail)
    assert figures("breaker_state", breaker_state="open") == 1
    assert figures.all("breaker_transitions_total", "breaker_state") == {"closed": 0, "open": 1, "half_open": 1}


def test_an_excluded_exception_is_a_success(figures, breaker):
    """pybreaker takes it for an answer of the operation, and so does the count."""
    breaker.add_excluded_exception(KeyError)
    with pytest.raises(KeyError):
        breaker.call({}.__getitem__, "missing")
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 1, "error": 0, "rejected": 0}


def test_a_breaker_within_a_breaker_counts_its_own_calls(figures, breaker):
    """The inner one's refusal is an error of the outer one's operation, or a success where it is excluded."""
    inner = instrument_breaker(pybreaker.CircuitBreaker(), name="inner", registry=figures.registry)
    inner.open()
    for excluded, outcome in (([], "error"), ([pybreaker.CircuitBreakerError], "ok")):
        breaker.add_excluded_exceptions(*excluded)
        with pytest.raises(pybreaker.CircuitBreakerError):
            breaker.call(inner.call, abs, 1)
        assert figures("breaker_calls_total", breaker_name="broker", breaker_call_outcome=outcome) == 1
    assert figures("breaker_calls_total", breaker_name="broker", breaker_call_outcome="rejected") == 0
    assert figures("breaker_calls_total", breaker_name="inner", breaker_call_outcome="rejected") == 2


def test_a_trial_call_that_fails_is_an_error(figures, breaker):
    """It was let through: it is not rejected, whatever error comes of it."""
    breaker.half_open()
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(fail)
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 0, "error": 1, "rejected": 0}
    breaker.reset_timeout = 0
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(fail)
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 0, "error": 2, "rejected": 0}


def test_a_state_set_by_hand_is_a_change(figures, breaker):
    """`open`, `half_open` and `close` count as the changes that calls bring about."""
    breaker.open()
    breaker.half_open()
    breaker.close()
    breaker.call(abs, 1)
    assert figures.all("breaker_transitions_total", "breaker_state") == {"closed": 1, "open": 1, "half_open": 1}
    assert figures("breaker_calls_total", breaker_call_outcome="ok") == 1


def test_a_generator_counts_when_it_ends(figures, breaker):
    """Its call is over with its last value, or with its exception."""

    def numbers(error=None):
        yield 1
        if error:
            raise error

    assert list(breaker.call(numbers)) == [1]
    with pytest.raises(ConnectionError):
        list(breaker.call(numbers, ConnectionError))
    assert figures.all("breaker_calls_total", "breaker_call_outcome") == {"ok": 1, "error": 1, "rejected": 0}


class Final(type):
    """A class of classes that take no subclass."""

    def __new__(cls, name, bases, body):
        if any(isinstance(base, Final) for base in bases):
            raise TypeError("final")
        return super().__new__(cls, name, bases, body)


class Vaulted(pybreaker.CircuitBreaker):
    """Has states that take no subclass."""

    class State(pybreaker.CircuitClosedState, metaclass=Final):
        def __repr__(self):
            return "locked"

    def _create_new_state(self, new_state, prev_state=None, notify=False):
        return self.State(self, prev_state, notify)


def test_a_state_that_cannot_be_heard_does_not_fail_the_breaker(figures, caplog):
    """Its calls go uncounted, and the log says which ones and why."""
    breaker = instrument_breaker(Vaulted(), name="broker", registry=figures.registry)
    breaker.state = "locked"
    assert breaker.call(abs, -1) == 1
    told = caplog.records[-1]
    assert told.message == "the calls through breaker resilience/broker are not counted while it is locked"
    assert isinstance(told.exc_info[1], UnsupportedError)


def test_a_breaker_is_freed_with_its_series(figures):
    """The binding does not hold it."""
    breaker = instrument_breaker(pybreaker.CircuitBreaker(), name="broker", registry=figures.registry)
    gone = weakref.ref(breaker)
    del breaker
    gc.collect()
    assert gone() is None
    assert figures("breaker_state", breaker_state="closed") is None


def test_a_retry_and_a_breaker_may_share_a_name(figures, breaker):
    """They are of one subject but have different labels."""
    import tenacity

    retry = instrument_retry(tenacity.Retrying(), operation="broker", registry=figures.registry)
    retry(abs, 1)
    assert figures("retry_attempts_total", retry_attempt_outcome="ok") == 1
    assert figures("breaker_state", breaker_state="closed") == 1


def test_another_breaker_is_refused(figures):
    """The message says which one is taken."""
    with pytest.raises(UnsupportedError, match=r"; pass a pybreaker\.CircuitBreaker, or install"):
        instrument_breaker(object(), name="b", registry=figures.registry)
