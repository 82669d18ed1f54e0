"""What records the traces of stages while spans of ours are sent, and leaves traces of other runs afterwards."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic, time_ns
from typing import Any
from weakref import WeakSet

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from manometer.tracing.ids import new_span_id
from manometer.tracing.live_span import LiveSpan
from manometer.tracing.ratio import Ratio
from manometer.tracing.sampling import Sampling
from manometer.tracing.sdk_span import sdk_span
from manometer.tracing.wanted import LOOK_AT_ALL, Looking, Stage, Times, Told, Wanted

__all__ = ["Recorder"]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_BURST = 10.0  # seconds whose traces may be left at once


class Recorder:
    """Starts the spans of stages, and makes spans of the times of runs.

    take: has a span sent. count: counts a trace that was wanted afterwards, by what became of it.
    """

    def __init__(
        self,
        provider: TracerProvider,
        sampling: Sampling,
        take: Callable[[Any], None],
        count: Callable[[str], None],
    ) -> None:
        self.provider, self.sampling, self.ratio = provider, sampling, Ratio(sampling.share)
        self.leaves_traces = sampling.left_a_second > 0
        self._stages: WeakSet[Looking] = WeakSet()
        self._take, self._count = take, count
        self._limits = SpanLimits()
        self._bound = _Bound(sampling.left_a_second)

    def asked_by(self, stage: Looking) -> None:
        """That stage looks at its runs by these settings from now on."""
        self._stages.add(stage)

    def retire(self) -> None:
        """Have the stages ask anew: others' settings hold from now on."""
        for stage in [*self._stages]:
            stage.look_after = LOOK_AT_ALL

    @property
    def is_alone(self) -> bool:
        """Whether nobody but us has a processor at the provider: others have to see spans of the SDK's kind."""
        processors = getattr(self.provider, "_active_span_processor", None)
        return len(getattr(processors, "_span_processors", ())) == 1

    def start(self, stage: Stage, trace_id: int, parent: SpanContext | None) -> LiveSpan:
        """The span of a run that begins in a trace that is recorded."""
        state = None if parent is None else parent.trace_state
        context = SpanContext(trace_id, new_span_id(), is_remote=False, trace_flags=_SAMPLED, trace_state=state)
        return LiveSpan(
            stage.stage,
            context,
            parent,
            stage.kind,
            stage.attributes,
            self.provider.resource,
            self._limits,
            self._take,
        )

    def admits(self) -> bool:
        """Whether one more trace of a run that was not recorded is within the bound; counts it where it is not."""
        if self._bound.admits():
            return True
        self._count("over_limit")
        return False

    def leave(self, wanted: Wanted, runs: Iterable[Times], root: Times) -> None:
        """Send the trace, whose outermost run has ended."""
        self._count("left")
        for span in self._spans(wanted, wanted.runs(runs, root), root):
            self._take(span)

    def _spans(self, wanted: Wanted, runs: list[Times], root: Times) -> Iterator[ReadableSpan]:
        now, ended, resource = time_ns(), root[2], self.provider.resource
        around: list[tuple[float, SpanContext]] = []  # the runs that the next one may be within, by their ends
        for times in runs:
            stage, start, end, told = times
            while around and end > around[-1][0]:
                around.pop()
            parent = around[-1][1] if around else wanted.caller
            known = wanted.own if times is root else None
            span_id = told.span_id if told is not None else new_span_id() if known is None else known.span_id
            context = SpanContext(wanted.trace_id, span_id, is_remote=False, trace_flags=_SAMPLED)
            around.append((end, context))
            yield _span(
                stage, context, parent, told, resource, _instant(now, ended - start), _instant(now, ended - end)
            )


def _span(
    stage: Stage,
    context: SpanContext,
    parent: SpanContext | None,
    told: Told | None,
    resource: Any,
    start: int,
    end: int,
) -> ReadableSpan:
    attributes = stage.attributes
    error = None if told is None else told.error
    events: list[Event] = []
    status = Status()
    if error is not None:
        attributes = {**attributes, "error.type": error.type}
        status = Status(StatusCode.ERROR, error.message)
        events.append(Event("exception", BoundedAttributes(None, error.event), end))
    return sdk_span(
        stage.stage,
        context=context,
        parent=parent,
        resource=resource,
        attributes=attributes,
        events=events,
        kind=stage.kind,
        status=status,
        start_time=start,
        end_time=end,
    )


def _instant(now: int, seconds_ago: float) -> int:
    return now - int(seconds_ago * 1e9)


class _Bound:
    """Admits so many a second, and at first, or after a pause, those of ten seconds at once.

    No lock: a signal handler may fail in the midst of it. Threads that ask at the same time may get one more.
    """

    def __init__(self, a_second: float) -> None:
        self._a_second = a_second
        self._left = self._most = max(a_second * _BURST, 1.0)
        self._at = monotonic()

    def admits(self) -> bool:
        now = monotonic()
        left = min(self._left + (now - self._at) * self._a_second, self._most)
        self._at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1
