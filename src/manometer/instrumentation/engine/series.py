"""The series of one stage: how often it ran, how long, how it ended, and how many runs are under way."""

from collections.abc import Iterable
from threading import RLock
from types import MappingProxyType
from weakref import ReferenceType, WeakKeyDictionary, ref

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry

from manometer.catalogue import engine as rows
from manometer.instrumentation.engine.oldest import oldest
from manometer.instrumentation.engine.usual import Usual
from manometer.instrumentation.subject import Subject
from manometer.meters.fork import freed_in_child, notice
from manometer.meters.labels import OTHER, SERIES_CAP
from manometer.meters.write_buffer import InFlight
from manometer.registry.catalogued import Pulled
from manometer.registry.self_metrics import SelfMetrics
from manometer.tracing.error_type import error_type
from manometer.tracing.spans import Closing, RunSpan, open_span
from manometer.tracing.wanted import LOOK_AT_ALL, Judge, Stage

__all__ = ["HeldRun", "StageSeries"]


class HeldRun:
    """Stands for a run. began: None before the run has begun."""

    __slots__ = ("__weakref__", "began", "tie")

    began: float | None
    tie: "ReferenceType[HeldRun]"


class StageSeries:
    """What is measured of one stage on one registry; every use of the stage's name shares it.

    Whoever runs the stage counts the run in `runs`, and keeps its time and its span in between, so that a run
    makes no object of ours:

        runs.began()
        span, start = series.span(), clock()
        ...
        series.ended(start, clock(), span)
        runs.ended()

    A run that may be suspended, so that it is on the stack of no thread, is held by an object in the place of the
    counting: `run = series.hold()`, then `run.began = start`, and `runs.held.discard(run.tie)`.

    kind: that of its spans. expected: exceptions that are no errors, such as that there is no such order.
    look_after: seconds from which on a run has to be looked at that leaves its times at a place, see `tracing.place`.
    """

    def __init__(self, registry: CollectorRegistry, engine: str, stage: str) -> None:
        self.engine, self.stage = engine, stage
        self.runs = InFlight()
        self.look_after = LOOK_AT_ALL
        self.kind = SpanKind.INTERNAL
        self.expected: tuple[type[BaseException], ...] = ()
        self._usual, self._watchers = Usual(), 0
        # The spans of all runs share them, and a program can get hold of a span's.
        self.attributes = MappingProxyType({"engine.name": engine, "engine.stage.name": stage})
        with Subject.on(registry, "engine").binding(self, self.attributes) as binding:
            self._binding, self.clock = binding, binding.clock
            ok = binding.histogram(rows.STAGE_DURATION, {"engine.stage.outcome": "ok"})
            self.ok, self.pending, self._ok = ok.observe, ok.pending, ok
            self._error = binding.histogram(rows.STAGE_DURATION, {"engine.stage.outcome": "error"}).observe
            binding.pulls(_read)

    @classmethod
    def of(cls, registry: CollectorRegistry, engine: str, stage: str) -> "StageSeries":
        """The series of that stage, made where it is new; past the cap, that of all further stages."""
        known = _stages.get(registry, _NONE)
        found = known.get((engine, stage))
        if found is not None:  # no lock for a stage that is there
            return found
        if len(known) >= SERIES_CAP and (engine, stage) != (OTHER, OTHER):
            SelfMetrics.of(registry).folded(rows.STAGE_DURATION.family_name)
            return cls.of(registry, OTHER, OTHER)
        notice()
        with _lock:
            stages = _stages.setdefault(registry, {})
            return stages.get((engine, stage)) or stages.setdefault((engine, stage), cls(registry, engine, stage))

    def went_through(self, items: int, *, well: bool) -> None:
        """A run of so many items came to its end."""
        outcome = "ok" if well else "error"
        self._binding.counter(rows.STAGE_ITEMS, {"engine.stage.outcome": outcome}).inc(items)

    def hold(self) -> HeldRun:
        """A run that begins, and is in flight for as long as this object lives, or until its tie is discarded."""
        run = HeldRun()
        run.began = None
        run.tie = ref(run, self.runs.held.discard)
        hash(run.tie)  # a dead one whose hash nobody asked for has none
        self.runs.held.add(run.tie)
        return run

    def span(self, *, is_current: bool = True) -> RunSpan | None:
        """The span of a run that begins, where the program traces; see `open_span`."""
        if trace._TRACER_PROVIDER is None:  # what `get_tracer_provider` asks first, at a tenth of the cost
            return None
        return open_span(self, is_current=is_current)

    def ended(
        self,
        start: float,
        end: float,
        span: Closing | None,
        error: BaseException | None = None,
        told: Stage | None = None,
    ) -> bool:
        """A run came to its end, by that exception where there is one; returns whether it went well.

        told: what its span tells of the stage, where that is the run's alone.

        At the end of the program's stack, where there is no room to count the run, it goes uncounted.
        """
        try:
            if error is not None and issubclass(type(error), self.expected):
                error = None
            exemplar = None if span is None else span.close(told or self, start, end, error)
            if error is None:
                self.ok(end - start, exemplar)
            else:
                self._error(end - start, exemplar)
                self._binding.counter(rows.STAGE_ERRORS, {"error.type": error_type(error)}).inc()
        except RecursionError:
            pass
        return error is None

    def is_slow(self, seconds: float, judge: Judge) -> bool:
        """Whether a run that took so long was slow: by the setting, or by what is usual for this stage."""
        set_by_hand = judge.sampling.slow_after
        slow_after = self._usual.slow_after if set_by_hand is None else set_by_hand
        if not self._watchers and self.look_after != slow_after:
            judge.asked_by(self)
            self.look_after = slow_after
        return seconds > slow_after

    def watch(self, by: int) -> None:
        """Have every run looked at while the sum of these numbers is over 0."""
        self._watchers += by
        self.look_after = LOOK_AT_ALL


def _read(series: StageSeries) -> Iterable[Pulled]:
    if series._usual.learn(series._ok):
        series.look_after = LOOK_AT_ALL
    runs = series.runs.value
    began = oldest(series, series.runs) if runs else None
    yield rows.STAGE_ACTIVE, {}, runs
    if began is not None:
        yield rows.STAGE_OLDEST_AGE, {}, max(series.clock() - began, 0.0)
    elif not runs:
        yield rows.STAGE_OLDEST_AGE, {}, 0.0


_NONE: dict[tuple[str, str], StageSeries] = {}
_stages: WeakKeyDictionary[CollectorRegistry, dict[tuple[str, str], StageSeries]] = WeakKeyDictionary()
_lock = freed_in_child(RLock())
