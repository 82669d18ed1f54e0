"""The series of one stage: how often it ran, how long, how it ended, and how many runs are under way."""

from collections.abc import Iterable
from threading import Lock
from weakref import WeakKeyDictionary

from opentelemetry import trace
from prometheus_client import CollectorRegistry

from manometer.catalogue import engine as rows
from manometer.instrumentation.binding import Subject
from manometer.instrumentation.engine.spans import StageSpan, open_span
from manometer.meters.catalogued import Pulled
from manometer.meters.fork import freed_in_child
from manometer.meters.pending import InFlight

__all__ = ["StageSeries"]


class StageSeries:
    """What is measured of one stage on one registry; every use of the stage's name shares it.

    A run is a call of `started`, then one of `ended` or `failed`. Whoever runs it keeps the time and
    the span in between, so that a run makes no object of ours.
    """

    def __init__(self, registry: CollectorRegistry, engine: str, stage: str) -> None:
        self.engine, self.stage = engine, stage
        self.runs = InFlight()
        self._binding = Subject.on(registry, "engine").bind(self, engine=engine, stage=stage)
        self.ok = self._binding.histogram("engine.stage.duration", outcome="ok").observe
        self._error = self._binding.histogram("engine.stage.duration", outcome="error").observe
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

    def started(self, *, current: bool = True) -> StageSpan | None:
        """A run begins, with a span where it is traced; `current` makes that the parent of what is within."""
        self.runs.began()
        if trace._TRACER_PROVIDER is None:  # what `get_tracer_provider` asks first, at a tenth of the cost
            return None
        return open_span(self.engine, self.stage, current=current)

    def ended(self, seconds: float, span: StageSpan | None) -> None:
        """A run came to its end."""
        if span is None:
            self.ok(seconds)
        else:
            span.close(None)
            self.ok(seconds, span.exemplar)
        self.runs.ended()

    def failed(self, seconds: float, span: StageSpan | None, error: BaseException) -> None:
        """An exception ended a run."""
        if span is not None:
            span.close(error)
        self._error(seconds, span.exemplar if span is not None else None)
        self._binding.counter("engine.stage.errors", error_type=type(error).__qualname__).inc()
        self.runs.ended()


def _read(series: StageSeries) -> Iterable[Pulled]:
    yield rows.STAGE_ACTIVE, {}, series.runs.value


_stages: WeakKeyDictionary[CollectorRegistry, dict[tuple[str, str], StageSeries]] = WeakKeyDictionary()
_lock = freed_in_child(Lock())
