"""Threads that keep no program from ending, also in a subinterpreter."""

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from threading import Thread

__all__ = ["DAEMONS", "INTERPRETER", "in_background"]


def _number() -> int:
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        with suppress(ImportError):
            current = import_module(name).get_current()
            return int(current[0] if isinstance(current, tuple) else current)
    return 0


# Found out once. A thread that looks for a module holds a lock, which no forked child would ever get.
INTERPRETER = _number()
"""The number of this interpreter among those of the process, of which the first is 0."""
DAEMONS = INTERPRETER == 0
"""Whether background threads are daemon threads. A subinterpreter with a lock of its own refuses these. In any other
they may end the whole process: before Python 3.13, an interpreter that still has a thread at its end calls abort."""


def in_background(run: Callable[[], object], name: str, stop: Callable[[], object] | None = None) -> Thread:
    """Start a thread that calls `run`, a daemon thread in the main interpreter.

    stop: has `run` return soon. At its end, a subinterpreter calls `stop`, and then waits for the thread; without
    `stop` it waits until `run` returns by itself.
    Raises RuntimeError where no thread can be started.
    """
    if DAEMONS:
        thread = Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def run_until_stopped() -> None:
        try:
            run()
        finally:
            _stops.pop(thread, None)

    if _ends:
        raise RuntimeError("the interpreter is about to end")
    thread = Thread(target=run_until_stopped, name=name, daemon=False)
    if stop is not None:
        _stops[thread] = stop  # before it starts: the end may come at once
    try:
        thread.start()
    except RuntimeError:
        _stops.pop(thread, None)
        raise
    return thread


def _stop_all() -> None:
    global _ends
    _ends = True
    for stop in list(_stops.values()):
        stop()


_stops: dict[Thread, Callable[[], object]] = {}
_ends = False

if not DAEMONS:
    # An interpreter waits for its threads before it calls atexit functions. The one hook before that is private;
    # concurrent.futures stops its threads by it.
    threading._register_atexit(_stop_all)  # type: ignore[attr-defined]
