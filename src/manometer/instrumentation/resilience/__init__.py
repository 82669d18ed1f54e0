"""Instrumentation of retries and circuit breakers."""

from types import FunctionType
from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.adapters import adapter_of
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.subject import Subject

__all__ = ["instrument_breaker", "instrument_retry"]

T = TypeVar("T")

_RETRIES = {"tenacity": "manometer.instrumentation.resilience.tenacity"}
_BREAKERS = {"pybreaker": "manometer.instrumentation.resilience.pybreaker"}


def instrument_retry(retrying: T, *, operation: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Count the attempts of a tenacity `Retrying`, `AsyncRetrying` or decorated function; returns it.

    Raises UnsupportedError for anything else, BindingError for one bound already.
    """
    wanted = "a tenacity Retrying object, or a function decorated by tenacity.retry"
    # A decorated function is of no class of tenacity's, but has an object of one.
    known = getattr(retrying, "retry", retrying) if isinstance(retrying, FunctionType) else retrying
    measure = adapter_of(known, "retry", _RETRIES, wanted)
    instrumented: T = measure(retrying, Bind(Subject.on(registry, "resilience"), {"retry.operation.name": operation}))
    return instrumented


def instrument_breaker(breaker: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Count the calls and state changes of a pybreaker `CircuitBreaker`; returns the same object.

    Raises UnsupportedError for anything else, BindingError for one bound already.
    """
    measure = adapter_of(breaker, "breaker", _BREAKERS, "a pybreaker.CircuitBreaker")
    instrumented: T = measure(breaker, Bind(Subject.on(registry, "resilience"), {"breaker.name": name}))
    return instrumented
