"""stage: duration, runs in flight, outcome, error type, span and exemplar in one construct."""

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from weakref import ReferenceType, ref

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import MetricError
from manometer.instrumentation.engine.measured import measured
from manometer.instrumentation.engine.series import StageSeries
from manometer.instrumentation.engine.spans import StageSpan

__all__ = ["stage"]

F = TypeVar("F", bound=Callable[..., Any])


class _Run:
    """One run of a block, which is in flight for as long as this object lives, and no longer than the block."""

    __slots__ = ("__weakref__", "began", "span", "tie")

    began: float
    span: StageSpan | None
    tie: ReferenceType["_Run"]


class stage:  # noqa: N801 - it is used as a keyword is: `with stage("classify_week"):`
    """Measure a stage of an engine, as a block or as a decorator.

        with stage("classify_week", engine="protocol"):
            ...

        @stage("classify_week", engine="protocol")
        def classify(bars): ...

    It decorates plain and async functions and generators, whose run lasts from the first value asked
    for to the end of the iteration. An exception passes through and is counted by its class.
    A `with` uses an object of its own; do not enter one object from two threads at a time.
    Raises MetricError where the name or the engine is no text, or where what it decorates is no function.
    """

    def __init__(self, name: str, *, engine: str = "main", registry: CollectorRegistry = REGISTRY) -> None:
        if callable(name):
            raise MetricError('a stage needs a name; write @stage("classify_week"), with the parentheses')
        for label, value in (("name", name), ("engine", engine)):
            if not isinstance(value, str) or not value:
                raise MetricError(f"the {label} of a stage is {value!r}; give it a short name, as text")
        self._series = StageSeries.of(registry, engine, name)
        self._runs: list[_Run] = []

    # A signal handler may raise between any two calls, and before the first one of a method. Where it does so, the
    # run dies with this object, or with the list's hold on it.

    def __enter__(self) -> Self:
        series, run = self._series, _Run()
        held = series.runs.held
        run.span, run.tie = None, ref(run, held.discard)
        try:
            held.add(run.tie)
            self._runs.append(run)
            run.span = series.span()
            run.began = perf_counter()
        except BaseException as error:
            held.discard(run.tie)
            if self._runs and self._runs[-1] is run:
                del self._runs[-1]
            if run.span is not None:
                run.span.close(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        run = self._runs.pop()
        try:
            # The caller of a generator had enough: that is no error. An exception may lie about its class, so it is
            # the class that is asked.
            failed = kind is not None and not issubclass(kind, GeneratorExit)
            self._series.ended(perf_counter() - run.began, run.span, error if failed else None)
        finally:
            self._series.runs.held.discard(run.tie)

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is a run."""
        if isinstance(function, staticmethod | classmethod):
            return cast(F, type(function)(self(function.__func__)))
        if isinstance(function, type) or not callable(function):
            raise MetricError(
                f"{function!r} is no function, and cannot be measured; decorate the function that it is made of, "
                "such as a method of the class, or what stands below @property"
            )
        return cast(F, measured(self._series, function))
