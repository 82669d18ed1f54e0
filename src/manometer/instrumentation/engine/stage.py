"""stage: duration, runs in flight, outcome, error type, span and exemplar in one construct."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from opentelemetry import trace
from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import MetricError
from manometer.instrumentation.engine.series import StageSeries
from manometer.instrumentation.engine.spans import StageSpan, is_traced
from manometer.meters.pending import PENDING_LIMIT

__all__ = ["stage"]

F = TypeVar("F", bound=Callable[..., Any])


class stage:  # noqa: N801 - it is used as a keyword is: `with stage("classify_week"):`
    """Measure a stage of an engine, as a block or as a decorator.

        with stage("classify_week", engine="protocol"):
            ...

        @stage("classify_week", engine="protocol")
        def classify(bars): ...

    It decorates plain and async functions and generators, whose run lasts from the first value asked
    for to the end of the iteration. An exception passes through and is counted by its class.
    A `with` uses an object of its own; do not enter one object from two threads at a time.
    Raises MetricError where the name or the engine is no text.
    """

    def __init__(self, name: str, *, engine: str = "main", registry: CollectorRegistry = REGISTRY) -> None:
        if callable(name):
            raise MetricError('a stage needs a name; write @stage("classify_week"), with the parentheses')
        for label, value in (("name", name), ("engine", engine)):
            if not isinstance(value, str) or not value:
                raise MetricError(f"the {label} of a stage is {value!r}; give it a short name, as text")
        self._series = StageSeries.of(registry, engine, name)
        self._runs: list[tuple[StageSpan | None, float]] = []

    def __enter__(self) -> Self:
        self._runs.append((self._series.started(), perf_counter()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        span, began = self._runs.pop()
        try:
            if error is None or isinstance(error, GeneratorExit):  # a generator's caller had enough: that is no error
                self._series.ended(perf_counter() - began, span)
            else:
                self._series.failed(perf_counter() - began, span, error)
        finally:
            self._series.runs.ended()

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is a run."""
        if isinstance(function, staticmethod | classmethod):
            return cast(F, type(function)(self(function.__func__)))
        if inspect.isasyncgenfunction(function):
            measured: Any = self._async_generator(function)
        elif inspect.isgeneratorfunction(function):
            measured = self._generator(function)
        elif inspect.iscoroutinefunction(function):
            measured = self._coroutine(function)
        else:
            measured = self._function(function)
        return cast(F, functools.wraps(function)(measured))

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # What runs most often is written out, what `observe` does too: a run that is not traced and ends well
        # calls nothing of ours that is no C.
        series = self._series
        began, over, failed = series.runs.began, series.runs.ended, series.failed
        events, relieve, limit = series.pending.events, series.pending.relieve, PENDING_LIMIT
        clock = perf_counter

        def call(*args: Any, **kwargs: Any) -> Any:
            if trace._TRACER_PROVIDER is not None and is_traced():
                return traced(*args, **kwargs)
            try:
                began()
                start = clock()
                try:
                    result = function(*args, **kwargs)
                except BaseException as error:
                    failed(clock() - start, None, error)
                    raise
                events.append(clock() - start)
                if len(events) >= limit:
                    relieve()
                return result
            finally:
                over()

        def traced(*args: Any, **kwargs: Any) -> Any:
            try:
                span, start = series.started(), clock()
                try:
                    result = function(*args, **kwargs)
                except BaseException as error:
                    failed(clock() - start, span, error)
                    raise
                series.ended(clock() - start, span)
                return result
            finally:
                over()

        return call

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        series = self._series

        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                span, start = series.started(), perf_counter()
                try:
                    result = await function(*args, **kwargs)
                except BaseException as error:
                    series.failed(perf_counter() - start, span, error)
                    raise
                series.ended(perf_counter() - start, span)
                return result
            finally:
                series.runs.ended()

        return call

    # A generator hands its caller control in mid-run, so its span is not made the current one: the
    # caller's own work would become its child. A caller that stops early ends the run well.

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with self._apart():
                return (yield from function(*args, **kwargs))

        return call

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            values = function(*args, **kwargs)
            step = values.asend(None)
            with self._apart():
                while True:
                    try:
                        value = await step
                    except StopAsyncIteration:
                        break
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await values.aclose()
                        raise
                    except BaseException as thrown:
                        step = values.athrow(thrown)
                    else:
                        step = values.asend(sent)

        return call

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """A run whose span is nobody's parent."""
        series = self._series
        try:
            span, start = series.started(current=False), perf_counter()
            try:
                yield
            except GeneratorExit:
                series.ended(perf_counter() - start, span)
                raise
            except BaseException as error:
                series.failed(perf_counter() - start, span, error)
                raise
            series.ended(perf_counter() - start, span)
        finally:
            series.runs.ended()
