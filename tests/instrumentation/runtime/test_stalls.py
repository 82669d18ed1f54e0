"""What holds an event loop up is found, named and counted: by looks of a thread, which the tests make by hand."""

import asyncio
import threading

import pytest

from manometer.instrumentation.runtime import instrument_loop
from manometer.instrumentation.runtime.stalls import Heartbeat, Watch
from waiting import DEADLINE, until

SLOW = "asyncio_slow_callbacks_total"


@pytest.fixture
def loop():
    """An event loop."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


class Looking:
    """A watch whose looks the test makes, amid what the loop runs."""

    def __init__(self, loop, overdue=1.0):
        self.found, self.heartbeat = [], Heartbeat()
        self.watch = Watch(loop, self.heartbeat, self.found.append, 0.1)
        self.loop, self.overdue = loop, overdue

    def look(self):
        """Look from another thread."""
        thread = threading.Thread(target=self.watch.look)
        thread.start()
        thread.join(DEADLINE)

    def beat(self):
        """As if the next beat were due already, or not yet."""
        self.heartbeat.beat(self.loop.time() - self.overdue)


async def blocks(looking, looks=1):
    """A coroutine whose one step is under way when the thread looks."""
    looking.beat()
    for _ in range(looks):
        deeper(looking)


def deeper(looking):
    """What the coroutine calls."""
    looking.look()


def test_the_coroutine_whose_step_is_slow_is_named(loop):
    """And not what it calls, nor the loop; a step is told of once."""
    looking = Looking(loop)
    loop.run_until_complete(blocks(looking, looks=3))
    assert looking.found == [f"{__name__}.blocks"]


def test_the_callback_that_is_slow_is_named(loop):
    """A method by its class."""
    looking = Looking(loop)

    class Handler:
        def called(self):
            looking.beat()
            looking.look()
            loop.stop()

    loop.call_soon(Handler().called)
    loop.run_forever()
    (name,) = looking.found
    assert name.endswith("Handler.called")


def test_a_loop_that_is_in_time_is_left_alone(loop):
    """The beat is not due yet."""
    looking = Looking(loop, overdue=-1.0)
    loop.run_until_complete(blocks(looking))
    assert looking.found == []


def test_a_loop_that_waits_or_does_not_run_has_nothing_that_holds_it_up(loop):
    """A machine that is busy may be late all the same."""
    looking = Looking(loop)
    looking.beat()
    looking.look()
    assert looking.found == []

    async def waits():
        looking.beat()
        thread = threading.Thread(target=lambda: (until(lambda: in_select()), looking.watch.look(), done()))
        finished = loop.create_future()

        def done():
            loop.call_soon_threadsafe(finished.set_result, None)

        def in_select():
            import sys

            return sys._current_frames()[looping].f_code.co_name == "select"

        looping = threading.get_ident()
        thread.start()
        await finished
        thread.join(DEADLINE)

    loop.run_until_complete(waits())
    assert looking.found == []


def test_a_closed_loop_is_looked_at_no_more():
    """The thread ends."""
    loop = asyncio.new_event_loop()
    looking = Looking(loop)
    assert looking.watch.look()
    loop.close()
    assert not looking.watch.look()


async def hog(figures):
    """Hold the loop up until it is noticed."""
    until(lambda: figures.all(SLOW, "code_function_name"), lambda: "nobody noticed")


def test_a_measured_loop_counts_what_holds_it_up_and_says_so_once(figures, loop, caplog):
    """The function, in the figures and in the log."""

    async def main():
        await asyncio.sleep(0)  # the timer begins
        await loop.create_task(hog(figures))

    with instrument_loop(loop, registry=figures.registry):
        loop.run_until_complete(main())
        (name,) = figures.all(SLOW, "code_function_name")
    assert name.endswith("hog")
    assert caplog.messages == [f"{name} holds an event loop up for over 0.1 s"]
