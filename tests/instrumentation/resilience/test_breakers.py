"""Circuit breakers by pybreaker."""

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
        return [state for state, on in figures.all("breaker_state", "state").items() if on]

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
    assert figures.all("breaker_calls_total", "outcome") == {"ok": 1, "error": 2, "rejected": 3}


def test_a_trial_call_counts_once(figures, breaker):
    """After the time-out, one call is let through within the refused one."""
    trip(breaker)
    breaker.reset_timeout = 0
    breaker.call(abs, 1)
    assert figures.all("breaker_calls_total", "outcome") == {"ok": 1, "error": 2, "rejected": 0}
    assert figures.all("breaker_transitions_total", "state") == {"closed": 1, "open": 1, "half_open": 1}


def test_decorated_functions_and_blocks_count(figures, breaker):
    """However the breaker is used, its calls are counted."""

    @breaker
    def operation():
        return 1

    operation()
    with breaker.calling():
        pass
    assert figures("breaker_calls_total", outcome="ok") == 2


def test_closing_leaves_the_breaker_as_it_was(figures, breaker):
    """Neither a listener nor a method of ours stays."""
    Binding.of(breaker).close()
    assert type(breaker) is pybreaker.CircuitBreaker
    assert breaker.listeners == ()


def test_a_retry_and_a_breaker_may_share_a_name(figures, breaker):
    """They are of one subject but have different labels."""
    import tenacity

    retry = instrument_retry(tenacity.Retrying(), operation="broker", registry=figures.registry)
    retry(abs, 1)
    assert figures("retry_attempts_total", outcome="ok") == 1
    assert figures("breaker_state", state="closed") == 1


def test_another_breaker_is_refused(figures):
    """The message says which one is taken."""
    with pytest.raises(UnsupportedError, match=r"pybreaker\.CircuitBreaker"):
        instrument_breaker(object(), name="b", registry=figures.registry)
