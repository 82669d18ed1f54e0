"""Functions whose calls have items or attributes of their own: each call is a block around the function."""

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from manometer.errors import MetricError

__all__ = ["per_call"]

Block = Callable[[tuple[Any, ...], dict[str, Any]], AbstractContextManager[Any]]
"""Makes the block of a call out of its arguments."""


def per_call(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind, name and signature; MetricError for a generator, whose run is no block."""
    if _is(inspect.isgeneratorfunction, function) or _is(inspect.isasyncgenfunction, function):
        raise MetricError(
            f"{function!r} is a generator; its runs have no items and no attributes, so leave these out"
        )
    call = _coroutine if _is(inspect.iscoroutinefunction, function) else _function
    return functools.wraps(function)(call(block, function))


def _is(kind: Callable[[Any], bool], function: Any) -> bool:
    return kind(function) or kind(type(function).__call__)


def _function(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with block(args, kwargs):
            return function(*args, **kwargs)

    return call


def _coroutine(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with block(args, kwargs):
            return await function(*args, **kwargs)

    return call
