"""Instrumentation of what the program runs on: the interpreter, its event loops, the host."""

from typing import TYPE_CHECKING, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import UnsupportedError
from manometer.instrumentation.binding import Binding

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["instrument_host", "instrument_loop", "instrument_process", "instrument_runtime", "instrument_semaphore"]

T = TypeVar("T")

# Each library is imported where it is asked for: asyncio and psutil would double the time to import
# the kit.


def instrument_runtime(*, registry: CollectorRegistry = REGISTRY) -> Binding:
    """Count and time the collections of the garbage collector, and count unhandled exceptions.

    Those are exceptions that end a thread, and those that a finalizer or a callback cannot raise. Python's hooks for
    them are called as before. Close the Binding to stop.
    Raises BindingError where the registry's runtime is bound already.
    """
    from manometer.instrumentation.runtime import interpreter

    return interpreter.instrument(registry=registry)


def instrument_host(*, registry: CollectorRegistry = REGISTRY) -> Binding:
    """Read the host's processors, memory, disks and network at each collection, by psutil.

    Raises UnsupportedError where psutil cannot be loaded, BindingError where the registry's host is bound already.
    """
    try:
        from manometer.instrumentation.runtime import psutil
    except ImportError as error:
        raise _no_psutil("host", error) from error

    return psutil.instrument(registry=registry)


def instrument_process(*, registry: CollectorRegistry = REGISTRY) -> Binding:
    """Read the process's processor time, memory, threads and files at each collection, by psutil.

    Raises UnsupportedError where psutil cannot be loaded, BindingError where the registry's process is bound already.
    """
    try:
        from manometer.instrumentation.runtime import process
    except ImportError as error:
        raise _no_psutil("process", error) from error

    return process.instrument(registry=registry)


def instrument_loop(
    loop: "AbstractEventLoop", *, name: str | None = None, registry: CollectorRegistry = REGISTRY
) -> Binding:
    """Measure an asyncio event loop, from any thread: how late it runs what is due, what holds it up, and its tasks.

    Close the Binding to stop. A program with one loop need not name it: its name is `main`.
    Raises BindingError where another loop without a name is bound and open.
    """
    from manometer.instrumentation.runtime import asyncio

    return asyncio.instrument(loop, name=name, registry=registry)


def instrument_semaphore(semaphore: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Measure an `asyncio.Semaphore` or an `asyncio.Lock`: waits, holds and permits; returns the same object.

    Instrument a semaphore before any of its permits are taken: that is how its limit is known. A hold lasts until the
    task that has the permit gives it back; where another task does, the hold is not timed.
    Raises UnsupportedError for anything else, BindingError for one bound already.
    """
    from manometer.instrumentation.runtime import semaphores

    return semaphores.instrument(semaphore, name=name, registry=registry)


def _no_psutil(what: str, error: ImportError) -> UnsupportedError:
    return UnsupportedError(
        f"the {what} is not measured: psutil cannot be loaded here ({error}); "
        f"in a subinterpreter, leave the {what} to the main interpreter"
    )
