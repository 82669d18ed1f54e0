"""The series of one stage: how often it ran, how long, how it ended, and how many runs are under way."""

from collections.abc import Iterable
from threading import Lock
from time import perf_counter
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from manometer.catalogue import engine as rows
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.engine.spans import StageSpan, open_span
from manometer.meters import Counter
from manometer.meters.catalogued import Pulled

__all__ = ["Run", "StageSeries"]


class StageSeries:
    """What is measured of one stage on one registry; every use of the stage's name shares it."""

    def __init__(self, registry: CollectorRegistry, engine: str, stage: str) -> None:
        self.engine, self.stage = engine, stage
        self._started = Counter("started", "Runs that began.", registry=None)
        self._finished = Counter("finished", "Runs that ended.", registry=None)
        self._binding = Subject.on(registry, "engine").bind(self, engine=engine, stage=stage)
        self._ok = self._binding.histogram("engine.stage.duration", outcome="ok")
        self._error = self._binding.histogram("engine.stage.duration", outcome="error")
        self._binding.pulls(_read)

    @classmethod
    def of(cls, registry: CollectorRegistry, engine: str, stage: str) -> "StageSeries":
        """The series of that stage, made where it is new."""
        with _lock:
            stages = _stages.setdefault(registry, {})
            found = stages.get((engine, stage))
            if found is None:
                stages[engine, stage] = found = cls(registry, engine, stage)
        return found

    def begin(self, *, current: bool = True) -> "Run":
        """A run begins; `current` makes its span the parent of what happens within."""
        self._started.inc()
        return Run(self, open_span(self.engine, self.stage, current=current))

    def end(self, seconds: float, span: StageSpan | None, error: BaseException | None) -> None:
        """A run ended after that time, with that exception or with none."""
        self._finished.inc()
        exemplar = span.exemplar if span is not None else None
        if error is None:
            self._ok.observe(seconds, exemplar)
        else:
            self._error.observe(seconds, exemplar)
            self._binding.counter("engine.stage.errors", error_type=type(error).__qualname__).inc()

    @property
    def active(self) -> float:
        """Runs that have begun and not ended."""
        finished = self._finished.value  # read first, so that the difference is never negative
        return self._started.value - finished


class Run:
    """One run of a stage, from its making to `end`."""

    __slots__ = ("_series", "_span", "_started")

    def __init__(self, series: StageSeries, span: StageSpan | None) -> None:
        self._series = series
        self._span = span
        self._started = perf_counter()

    def end(self, error: BaseException | None = None) -> None:
        """The run is over; `error` is what ended it, if anything did."""
        seconds = perf_counter() - self._started
        if self._span is not None:
            self._span.close(error)
        self._series.end(seconds, self._span, error)


def _read(series: StageSeries) -> Iterable[Pulled]:
    yield rows.STAGE_ACTIVE, {}, series.active


_stages: WeakKeyDictionary[CollectorRegistry, dict[tuple[str, str], StageSeries]] = WeakKeyDictionary()
_lock = Lock()
