"""What a Manometer measures without being asked: the process, its garbage collector, and the host."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any
from weakref import WeakSet

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.registry import Collector

from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.runtime import instrument_host, instrument_process, instrument_runtime
from manometer.prometheus_internals import collectors_of

__all__ = ["measure", "measure_to_the_end"]

_log = logging.getLogger("manometer")


def measure(registry: CollectorRegistry) -> Callable[[], None]:
    """Measure the process, its garbage collector and the host, but for what is measured already; return the undo."""
    undone = ExitStack()
    for instrument in (instrument_runtime, instrument_process, instrument_host):
        undone.callback(_bind(instrument, registry))
    undone.callback(_register(PlatformCollector, registry))

    def undo() -> None:
        if registry not in _kept:
            undone.close()

    return undo


def measure_to_the_end(registry: CollectorRegistry) -> None:
    """Measure the same until the program ends, whoever undoes a `measure` of the registry."""
    measure(registry)
    _kept.add(registry)


def _bind(instrument: Callable[..., Binding], registry: CollectorRegistry) -> Callable[[], None]:
    """Measure what the registry measures once, unless it does already or cannot, and return the undo."""
    try:
        return instrument(registry=registry).close
    except BindingError:  # the program has bound it
        pass
    except UnsupportedError as error:
        _log.warning("%s", error)
    return lambda: None


def _register(kind: type[Any], registry: CollectorRegistry) -> Callable[[], None]:
    """Have the registry measure the process, unless it does already, and return the undo."""
    # prometheus-client has no public way to ask what is registered, and most of these have no names to clash.
    if any(isinstance(each, kind) for each in collectors_of(registry)):
        return lambda: None
    try:
        return partial(_unregister, kind(registry=registry), registry)
    except ValueError:  # the program measures its process under these names by other means
        return lambda: None


def _unregister(collector: Collector, registry: CollectorRegistry) -> None:
    with suppress(KeyError):  # the program took it off itself
        registry.unregister(collector)


_kept: WeakSet[CollectorRegistry] = WeakSet()
"""Registries that are measured until the program ends."""
