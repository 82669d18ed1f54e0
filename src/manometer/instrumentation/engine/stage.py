"""stage: duration, runs in flight, outcome, error type, span and exemplar in one construct."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast
from weakref import ReferenceType, ref

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import MetricError
from manometer.instrumentation.engine.measured import measured
from manometer.instrumentation.engine.particulars import NONE, Attributes, Items, Particulars
from manometer.instrumentation.engine.per_call import per_call
from manometer.instrumentation.engine.series import StageSeries
from manometer.instrumentation.engine.told_by_run import ToldByRun
from manometer.tracing.spans import RunSpan, open_span

__all__ = ["stage"]

Kind = Literal["internal", "client", "server", "producer", "consumer"]
_KINDS = {kind.name.lower(): kind for kind in SpanKind}

F = TypeVar("F", bound=Callable[..., Any])


class _Run:
    """One run of a block, which is in flight for as long as this object lives, and no longer than the block."""

    __slots__ = ("__weakref__", "began", "items", "series", "span", "stage", "tie", "told")

    began: float | None
    """When the run began; None before, and after its end."""
    items: int | None
    """How many there are of it, where the program says so."""
    series: StageSeries
    told: ToldByRun | None
    """What its span tells of the stage, where that is the run's alone."""
    span: RunSpan | None
    stage: "stage | None"
    """The stage, where a `with` statement holds the run; None where the stage itself holds the run."""
    tie: ReferenceType["_Run"]

    def end(
        self, kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        """End the run. If the run never began, end the latest run that the stage itself holds."""
        began = self.began
        if began is None:
            if self.stage is not None and self.stage._entered:
                self.stage._entered.pop().end(kind, error, None)
            return
        series = self.series
        try:
            # The caller of a generator had enough: that is no error. An exception may lie about its class, so it is
            # the class that is asked.
            failed = kind is not None and not issubclass(kind, GeneratorExit)
            well = series.ended(began, series.clock(), self.span, error if failed else None, self.told)
            if self.items is not None:
                series.went_through(self.items, well=well)
        finally:
            series.runs.held.discard(self.tie)
            self.began = None
            del self.tie  # the last hold on it: nothing is called when this object goes


def _next_run(stage: "stage") -> _Run:
    """A run that is yet to begin."""
    run = _Run()
    run.series = series = stage._series
    run.stage, run.began, run.span, run.told, run.items = stage, None, None, stage._told, stage._items
    run.tie = tie = ref(run, series.runs.held.discard)
    hash(tie)  # a dead one whose hash nobody asked for has none
    stage._next = tie
    return run


def _end_of_next_run(stage: "stage") -> Callable[..., None]:
    return _next_run(stage).end


class _Exit(property):
    """`stage.__exit__`, which is another function each time that it is looked up."""

    def __call__(self, stage: "stage", *exception: Any) -> None:
        """As `ExitStack` calls it, which looks it up on the class."""
        self.__get__(stage)(*exception)


class stage:  # noqa: N801 - it is used as a keyword is: `with stage("classify_week"):`
    """Measure a stage of an engine, as a block or as a decorator.

        with stage("classify_week", engine="protocol"):
            ...

        @stage("classify_week", engine="protocol")
        def classify(bars): ...

    It decorates plain and async functions and generators, whose run lasts from the first value asked
    for to the end of the iteration. An exception passes through and is counted by its class.
    `with` statements may enter one object again and again, also those of asyncio tasks whose blocks overlap. Do not
    enter one object from two threads at a time.
    kind: that of its spans, where the stage is not internal to the program: `client` where it asks a broker, a
    database or a cache server. expected: exceptions that are no errors, such as `asyncio.CancelledError`; a run that
    ends by one is well. Both hold for every use of the stage's name.
    items: how many a run goes through, such as the rows of a batch. attributes: of its span alone, such as the number
    of an order, which no metric may have. A decorator takes functions of the call's arguments in their place, such as
    `items=len`; each call is a block then, and generators have neither.
    Raises MetricError where the name or the engine is no text, or where what it decorates is no function.
    """

    def __init__(
        self,
        name: str,
        *,
        engine: str = "main",
        kind: Kind | None = None,
        expected: type[BaseException] | tuple[type[BaseException], ...] = (),
        items: Items = None,
        attributes: Attributes = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        if callable(name):
            raise MetricError('a stage needs a name; write @stage("classify_week"), with the parentheses')
        for label, value in (("name", name), ("engine", engine)):
            if not isinstance(value, str) or not value:
                raise MetricError(f"the {label} of a stage is {value!r}; give it a short name, as text")
        if kind is not None and kind not in _KINDS:
            raise MetricError(f"the kind of a stage is {kind!r}; it is one of {', '.join(_KINDS)}")
        if not isinstance(expected, tuple):
            expected = (expected,)
        if not all(isinstance(each, type) and issubclass(each, BaseException) for each in expected):
            raise MetricError(f"a stage expects {expected!r}; give it classes of exceptions")
        self._series = series = StageSeries.of(registry, engine, name)
        if kind is not None:
            series.kind = _KINDS[kind]
        if expected:
            series.expected = tuple({*series.expected, *expected})
        self._particulars = particulars = Particulars(items, attributes)
        self._items = items if isinstance(items, int) else None
        self._told = None if particulars.are_of_calls else particulars.told(series)
        self._next: ReferenceType[_Run] | None = None
        self._entered: list[_Run] = []

    # A signal handler may raise between any two calls, and before the first one of a method. So a run is held by
    # nothing that outlives its block. A `with` statement looks `__exit__` up, then calls `__enter__`, and lets
    # go of what it looked up when the block is over, in whatever way. That is what holds the run.
    # Where `__enter__` is called by hand, nothing but the stage can hold the run.

    def __enter__(self) -> Self:
        if self._particulars.are_of_calls:
            raise MetricError("the items and attributes of a block are values; only a decorator takes functions")
        tie, self._next = self._next, None
        run = None if tie is None else tie()
        if run is None:
            run = _next_run(self)
            run.stage = self._next = None
        series = run.series
        held = series.runs.held
        try:
            held.add(run.tie)
            if run.stage is None:
                self._entered.append(run)
            run.span = None if trace._TRACER_PROVIDER is None else open_span(run.told or series)
            run.began = series.clock()
        except BaseException as error:
            held.discard(run.tie)
            if self._entered and self._entered[-1] is run:
                self._entered.pop()
            if run.span is not None:
                run.span.abandon(error)
            raise
        return self

    if TYPE_CHECKING:

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
        ) -> None: ...

    else:
        __exit__ = _Exit(_end_of_next_run)

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is a run."""
        if isinstance(function, staticmethod | classmethod):
            return cast(F, type(function)(self(function.__func__)))
        if isinstance(function, type) or not callable(function):
            raise MetricError(
                f"{function!r} is no function, and cannot be measured; decorate the function that it is made of, "
                "such as a method of the class, or what stands below @property"
            )
        if self._particulars == NONE:
            return cast(F, measured(self._series, function))
        return cast(F, per_call(self._of_call, function))

    def _of_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "stage":
        block, particulars = type(self).__new__(type(self)), self._particulars.of_call(args, kwargs)
        block._series, block._particulars = self._series, particulars
        block._items = cast(int | None, particulars.items)
        block._told = particulars.told(self._series)
        block._next, block._entered = None, []
        return block
