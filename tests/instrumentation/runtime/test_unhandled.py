"""Exceptions that nobody handles are counted, and what was done with them before is done all the same."""

import asyncio
import gc
import sys
import threading

import pytest

from manometer.instrumentation.runtime import instrument_loop, instrument_runtime
from waiting import joined

LOOP = "asyncio_unhandled_exceptions_total"


@pytest.fixture
def hooks(monkeypatch):
    """What the program's own hooks were told."""
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(("thread", args.exc_type)))
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(("unraisable", args.exc_type)))
    return told


def unhandled(figures, source, error_type):
    """How many were counted."""
    name = "python_unhandled_exceptions_total"
    return figures(name, python_exception_source=source, error_type=error_type)


def in_thread(error):
    """A thread that ends by this exception, and has ended."""

    def run():
        raise error

    thread = threading.Thread(target=run)
    thread.start()
    joined(thread)


class Dying:
    """What fails at its end."""

    def __del__(self):
        raise OSError("not at the end")


def test_an_exception_that_ends_a_thread_is_counted(figures, hooks):
    """By its class; the program's hook hears of it. A thread that ends itself is none."""
    with instrument_runtime(registry=figures.registry):
        in_thread(ValueError("wrong"))
        in_thread(ValueError("again"))
        in_thread(SystemExit())
        assert unhandled(figures, "thread", "ValueError") == 2
        assert unhandled(figures, "thread", "SystemExit") is None
    assert hooks == [("thread", ValueError), ("thread", ValueError), ("thread", SystemExit)]


def test_an_exception_that_a_finalizer_cannot_raise_is_counted(figures, hooks):
    """Also where the garbage collector calls it."""
    with instrument_runtime(registry=figures.registry):
        Dying()
        cycle = [Dying()]
        cycle.append(cycle)
        del cycle
        gc.collect()
        assert unhandled(figures, "unraisable", "OSError") == 2
    assert hooks == [("unraisable", OSError)] * 2


def test_the_hooks_are_given_back(hooks):
    """They are as they were before."""
    before = threading.excepthook, sys.unraisablehook
    with instrument_runtime():
        assert (threading.excepthook, sys.unraisablehook) != before
    assert (threading.excepthook, sys.unraisablehook) == before


def test_a_hook_that_the_program_set_meanwhile_stays(figures, hooks, monkeypatch):
    """And may go on to call ours, which then only passes on."""
    with instrument_runtime(registry=figures.registry):
        ours = threading.excepthook
        monkeypatch.setattr(threading, "excepthook", lambda args: hooks.append("outer") or ours(args))
        outer = threading.excepthook
    assert threading.excepthook is outer
    in_thread(ValueError("later"))
    assert hooks == ["outer", ("thread", ValueError)]


@pytest.fixture
def loop():
    """An event loop."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def fails():
    """A task whose result nobody asks for."""
    raise KeyError("gone")


def forgotten(loop):
    """Have the loop run a task that fails, and drop it."""

    async def main():
        task = loop.create_task(fails())
        await asyncio.sleep(0)
        del task
        await asyncio.sleep(0)
        gc.collect()

    loop.run_until_complete(main())


def test_a_task_that_fails_unheard_is_counted(figures, loop, caplog):
    """asyncio logs it as before."""
    with instrument_loop(loop, registry=figures.registry):
        forgotten(loop)
        loop.call_exception_handler({"message": "something without an exception"})
        assert figures.all(LOOP, "error_type") == {"KeyError": 1, "_OTHER": 1}
    assert "Task exception was never retrieved" in caplog.text


def test_the_program_s_own_handler_hears_of_it_and_is_given_back(figures, loop):
    """As it would without."""
    told = []

    def handler(_, context):
        told.append(type(context["exception"]))

    loop.set_exception_handler(handler)
    with instrument_loop(loop, registry=figures.registry):
        forgotten(loop)
    assert loop.get_exception_handler() is handler
    forgotten(loop)
    assert told == [KeyError, KeyError]


def test_a_handler_that_the_program_set_meanwhile_stays(figures, loop):
    """It is not taken off with ours."""
    with instrument_loop(loop, registry=figures.registry):
        ours = loop.get_exception_handler()
        later = lambda loop, context: ours(loop, context)  # noqa: E731
        loop.set_exception_handler(later)
    assert loop.get_exception_handler() is later
