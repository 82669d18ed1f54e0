"""Semaphores and locks of asyncio: who waits, who holds, how long; and they do what they did before."""

import asyncio

import pytest

from manometer import BindingError, UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.runtime import instrument_semaphore
from manometer.testing import Figures, ManualClock

KINDS = {
    "lock": asyncio.Lock,
    "semaphore": lambda: asyncio.Semaphore(1),
    "bounded": lambda: asyncio.BoundedSemaphore(1),
}


@pytest.fixture
def clock():
    """The kit's clock, which the test moves."""
    return ManualClock()


@pytest.fixture
def figures(clock):
    """Figures of a registry that has that clock."""
    return Figures(clock=clock)


def told(figures, word, name="uploads"):
    """A figure of the semaphore."""
    return figures(f"asyncio_semaphore_{word}", asyncio_semaphore_name=name)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_waits_and_holds_are_timed(figures, clock, make):
    """One task holds it for three seconds, of which another waits for two."""

    async def work():
        semaphore = instrument_semaphore(make(), name="uploads", registry=figures.registry)

        async def other():
            async with semaphore:
                clock.advance(1)

        async with semaphore:
            clock.advance(1)
            waiter = asyncio.create_task(other())
            await asyncio.sleep(0)
            assert (told(figures, "permits"), told(figures, "waiters")) == (1, 1)
            clock.advance(2)
        await waiter
        return semaphore

    kept = asyncio.run(work())
    assert not kept.locked()
    assert (told(figures, "wait_duration_seconds_sum"), told(figures, "wait_duration_seconds_count")) == (2, 2)
    assert (told(figures, "hold_duration_seconds_sum"), told(figures, "hold_duration_seconds_count")) == (4, 2)
    assert (told(figures, "permits"), told(figures, "waiters"), told(figures, "permit_limit")) == (0, 0, 1)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_wait_in_vain_counts_and_holds_nothing(figures, clock, make):
    """One that is cancelled, as by a time-out."""

    async def work():
        semaphore = instrument_semaphore(make(), name="uploads", registry=figures.registry)
        async with semaphore:
            waiter = asyncio.create_task(semaphore.acquire())
            await asyncio.sleep(0)
            clock.advance(5)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
        return semaphore

    kept = asyncio.run(work())
    assert not kept.locked()
    assert (told(figures, "wait_duration_seconds_sum"), told(figures, "wait_duration_seconds_count")) == (5, 2)
    assert told(figures, "hold_duration_seconds_count") == 1
    assert told(figures, "waiters") == 0


def test_several_permits_are_counted(figures):
    """Of those that there were when it was instrumented."""

    async def work():
        semaphore = instrument_semaphore(asyncio.Semaphore(3), name="uploads", registry=figures.registry)
        await semaphore.acquire()
        await semaphore.acquire()
        assert (told(figures, "permits"), told(figures, "permit_limit")) == (2, 3)

    asyncio.run(work())


def test_a_bounded_semaphore_knows_its_limit(figures):
    """Also where permits are taken already."""

    async def work():
        semaphore = asyncio.BoundedSemaphore(3)
        await semaphore.acquire()
        instrument_semaphore(semaphore, name="uploads", registry=figures.registry)
        assert (told(figures, "permits"), told(figures, "permit_limit")) == (1, 3)

    asyncio.run(work())


def test_a_permit_that_another_task_gives_back_is_no_hold(figures):
    """Nobody can say whose it was. It is free all the same."""

    async def work():
        semaphore = instrument_semaphore(asyncio.Semaphore(1), name="uploads", registry=figures.registry)
        await asyncio.create_task(semaphore.acquire())
        semaphore.release()
        return semaphore

    kept = asyncio.run(work())
    assert not kept.locked()
    assert told(figures, "hold_duration_seconds_count") == 0
    assert told(figures, "permits") == 0


def test_a_permit_may_come_back_outside_of_a_loop(figures):
    """asyncio allows for that."""
    semaphore = instrument_semaphore(asyncio.Semaphore(1), name="uploads", registry=figures.registry)
    semaphore.release()
    assert told(figures, "permits") == 0


@pytest.mark.parametrize(("make", "error"), [(asyncio.Lock, RuntimeError), (KINDS["bounded"], ValueError)])
def test_what_asyncio_refuses_it_refuses(figures, make, error):
    """With its own exception."""
    semaphore = instrument_semaphore(make(), name="uploads", registry=figures.registry)
    with pytest.raises(error):
        semaphore.release()
    assert isinstance(semaphore, type(make()))


def test_closing_the_binding_removes_the_series(figures):
    """The semaphore works on, as one of its own class."""
    semaphore = instrument_semaphore(asyncio.Semaphore(1), name="uploads", registry=figures.registry)
    Binding.of(semaphore).close()
    assert told(figures, "permits") is None
    assert type(semaphore) is asyncio.Semaphore


def test_others_are_refused(figures):
    """And one that is measured already."""
    with pytest.raises(UnsupportedError, match=r"pass an asyncio\.Semaphore or an asyncio\.Lock"):
        instrument_semaphore(asyncio.Event(), name="uploads", registry=figures.registry)
    lock = instrument_semaphore(asyncio.Lock(), name="uploads", registry=figures.registry)
    with pytest.raises(BindingError):
        instrument_semaphore(lock, name="again", registry=figures.registry)
