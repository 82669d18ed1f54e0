"""A check of an event loop sees what blocks it while it does."""

import asyncio
import os
import threading

import pytest

from forking import in_child
from manometer.checks import loop_lag
from manometer.errors import BindingError
from manometer.health import Checks, check
from waiting import DEADLINE, joined, until


async def test_a_loop_that_answers_is_well():
    """It says how long that took."""
    found = await asyncio.to_thread(loop_lag(DEADLINE))
    assert (found.problem, found.unit, found.measurement) == (None, "s", "responseTime")
    assert found.value >= 0


async def test_a_loop_that_is_blocked_fails_while_it_is():
    """The check waits for as long as it is told, and runs beside what blocks the loop."""
    told = []
    thread = threading.Thread(target=lambda ask: told.append(ask()), args=(loop_lag(0.01),))
    thread.start()
    joined(thread)  # blocks this loop
    assert told[0].problem == "the event loop has not answered within 0.01 s"


async def test_it_runs_as_any_check_does(registry):
    """In the background, on what `check` registers."""
    found = check("loop", loop_lag(DEADLINE), registry=registry)
    checks = Checks.on(registry)
    checks.start()
    await asyncio.to_thread(until, lambda: found.result)
    checks.stop()
    assert found.problem is None


def test_a_loop_that_is_closed_fails():
    """Nothing on it will ever run."""
    loop = asyncio.new_event_loop()
    loop.close()
    assert loop_lag(loop=loop)().problem == "the event loop is closed"


def test_a_loop_has_to_be_there():
    """And time to answer."""
    with pytest.raises(BindingError) as raised:
        loop_lag()
    assert str(raised.value) == (
        "no event loop runs here; make the check in a coroutine of the program, or pass loop=..."
    )
    loop = asyncio.new_event_loop()
    with pytest.raises(BindingError, match="the check of an event loop has at_most=0; pass seconds over 0"):
        loop_lag(0, loop=loop)
    loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
async def test_a_child_does_not_wake_the_loop_of_its_parent():
    """They share the socket by which a loop is woken."""
    ask = loop_lag()

    def child():
        told = "its event loop is the parent process's; make the check on a loop of this process"
        assert ask().problem == told

    in_child(child)
