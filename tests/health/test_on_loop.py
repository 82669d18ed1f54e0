"""Coroutines of checks run on the program's own event loop, and on no other."""

import asyncio
import functools
import os
import threading
from contextlib import closing, contextmanager

import pytest

from forking import in_child
from manometer.errors import BindingError
from manometer.health import Checks, check
from waiting import DEADLINE, joined, until


class Ping:
    """An object whose call is a coroutine."""

    def __init__(self, answer=None):
        self.answer, self.loops = answer, []

    async def __call__(self):
        self.loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@contextmanager
def running():
    """An event loop in a thread of its own."""
    with closing(asyncio.new_event_loop()) as loop:
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield loop
        finally:
            loop.call_soon_threadsafe(loop.stop)
            joined(thread)


@contextmanager
def started(registry, interval=30.0):
    """The registry's checks, run in the background."""
    checks = Checks.on(registry)
    checks.start(interval)
    try:
        yield checks
    finally:
        checks.stop()


def _shapes(ping):
    """The ways to write what makes a coroutine; the last is a function that no one can tell from another."""

    async def function():
        return await ping()

    return [function, functools.partial(function), ping, lambda: ping()]


@pytest.mark.parametrize("shape", range(4))
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, None),
        ("disk full", "disk full"),
        (ConnectionError("refused"), "ConnectionError: refused"),
        (TimeoutError("slow"), "TimeoutError: slow"),
    ],
)
def test_a_coroutine_is_awaited_on_the_loop_that_is_given(registry, shape, answer, problem):
    """Whether a function, a partial or an object makes it; what it returns or raises is the check's state."""
    ping = Ping(answer)
    with running() as loop, started(registry):
        found = check("db", _shapes(ping)[shape], loop=loop, registry=registry)
        until(lambda: found.result)
    assert found.problem == problem
    assert ping.loops == [loop]


async def test_a_check_runs_on_the_loop_that_it_was_registered_on(registry):
    """No word of it is needed, and no thread runs it."""
    ping, threads = Ping(), []

    async def function():
        threads.append(threading.current_thread())
        return await ping()

    with started(registry):
        checks = [check("function", function, registry=registry), check("lambda", lambda: ping(), registry=registry)]
        await asyncio.to_thread(until, lambda: all(each.result for each in checks))
    assert [each.problem for each in checks] == [None, None]
    assert ping.loops == [asyncio.get_running_loop()] * 2
    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("shape", range(3))
def test_a_coroutine_function_without_a_loop_is_refused(registry, shape):
    """A loop made for it would not be the one that the program's connections belong to."""
    with pytest.raises(BindingError) as raised:
        check("db", _shapes(Ping())[shape], registry=registry)
    assert str(raised.value) == (
        "health check 'db' is a coroutine function, and no event loop runs here; "
        "register it in a coroutine of the program, or pass loop=..."
    )


def test_a_function_that_turns_out_to_make_a_coroutine_says_that_it_lacks_a_loop(rig):
    """It cannot be told before; the coroutine is closed, and Python has nothing to warn of."""
    ping = Ping()
    found = rig.add("db", lambda: ping())
    rig.run()
    assert found.problem == (
        "returned a coroutine, and its check knows no event loop; register it where the loop runs, or pass loop=..."
    )
    assert ping.loops == []


@pytest.mark.parametrize("shape", [0, 3])
def test_a_loop_that_is_closed_fails_the_check(rig, shape):
    """And it is tried again: nothing hangs."""
    loop = asyncio.new_event_loop()
    loop.close()
    found = rig.add("db", _shapes(Ping())[shape], loop=loop)
    for _ in range(2):
        rig.run()
        assert found.problem == "its event loop is closed"
        rig.clock.now += 30


def test_a_blocked_loop_is_named_and_costs_no_thread(rig):
    """The check is late, and says what it waits for; it runs when the loop does."""
    blocked, go_on, ping = threading.Event(), threading.Event(), Ping()

    def block():
        blocked.set()
        go_on.wait(DEADLINE)

    with running() as loop:
        loop.call_soon_threadsafe(block)
        assert blocked.wait(DEADLINE)
        found = rig.add("db", ping, loop=loop, timeout=5)
        rig.checks.run_due()
        assert rig.spawned == []
        rig.clock.now += 6
        assert found.problem == "has waited for its event loop for 6 s, and its time-out is 5 s"
        rig.clock.now += 6
        rig.checks.run_due()
        go_on.set()
        until(lambda: found.result)
    assert (found.problem, ping.loops) == (None, [loop])


def test_a_coroutine_that_hangs_is_cancelled(registry):
    """Then it runs again: nothing of it is left behind."""
    cancelled = threading.Semaphore(0)

    async def hangs():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.release()

    with running() as loop, started(registry):
        found = check("db", hangs, interval=0.001, timeout=0.01, loop=loop, registry=registry)
        for _ in range(2):
            assert cancelled.acquire(timeout=DEADLINE)
        found.close()
        until(lambda: not found._running)
    assert found.result.finding.problem == "was cancelled after its time-out of 0.01 s"


def test_the_end_of_the_loop_is_no_failure_of_the_check(registry):
    """A program that ends cancels its tasks; the log is not to say that its database is down."""
    entered = threading.Event()

    async def hangs():
        entered.set()
        await asyncio.Event().wait()

    async def program():
        found = check("db", hangs, registry=registry)
        await asyncio.to_thread(entered.wait, DEADLINE)
        return found

    with started(registry):
        found = asyncio.run(program())
    assert found.result is None


def test_what_ends_a_program_passes_through_a_check(registry):
    """A signal handler of the program may have raised SystemExit while the check ran; the loop gets it."""
    with started(registry), closing(asyncio.new_event_loop()) as loop:
        found = check("db", Ping(SystemExit(3)), loop=loop, registry=registry)
        with pytest.raises(SystemExit):
            loop.run_forever()
        loop.run_until_complete(asyncio.sleep(0))
    assert found.result is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
async def test_the_loop_of_the_parent_is_not_touched_by_a_child(registry):
    """Its copy in the child would wake the parent by a socket that both have; the check says what to do."""
    check("db", Ping(), registry=registry)
    checks = Checks.on(registry)

    def child():
        checks.run_due()
        told = "its event loop is the parent process's; register it on a loop of this process"
        assert checks.all()[0].problem == told

        async def anew():
            again = check("db", Ping(), registry=registry)
            checks.start()
            await asyncio.to_thread(until, lambda: again.result)
            assert again.problem is None

        asyncio.Runner().run(anew())
        checks.stop()

    in_child(child)
