"""Instrumentation of what the program runs on: the interpreter, its event loops, the host."""

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.binding import Binding

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["instrument_host", "instrument_loop", "instrument_runtime"]

# Each library is imported where it is asked for: asyncio and psutil would double the time to import
# the kit.


def instrument_runtime(*, registry: CollectorRegistry = REGISTRY) -> Binding:
    """Time the pauses of the garbage collector; close the Binding to stop."""
    from manometer.instrumentation.runtime import gc

    return gc.instrument(registry=registry)


def instrument_host(*, registry: CollectorRegistry = REGISTRY) -> Binding:
    """Read the host's processors, memory, disks and network at each collection, by psutil."""
    from manometer.instrumentation.runtime import psutil

    return psutil.instrument(registry=registry)


def instrument_loop(
    loop: "AbstractEventLoop", *, name: str = "main", registry: CollectorRegistry = REGISTRY
) -> Binding:
    """Measure an asyncio event loop, from any thread: how late it runs what is due, and its tasks.

    Close the Binding to stop.
    """
    from manometer.instrumentation.runtime import asyncio

    return asyncio.instrument(loop, name=name, registry=registry)
