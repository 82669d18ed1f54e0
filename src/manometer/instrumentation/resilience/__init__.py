"""Instrumentation of retries and circuit breakers."""

from types import FunctionType
from typing import TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.instrumentation.library import adapter

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
    adapter(known, _RETRIES, wanted).instrument(retrying, operation=operation, registry=registry)
    return retrying


def instrument_breaker(breaker: T, *, name: str, registry: CollectorRegistry = REGISTRY) -> T:
    """Count the calls and state changes of a pybreaker `CircuitBreaker`; returns the same object.

    Raises UnsupportedError for anything else, BindingError for one bound already.
    """
    adapter(breaker, _BREAKERS, "a pybreaker.CircuitBreaker").instrument(breaker, name=name, registry=registry)
    return breaker
