"""Which span a run of a stage has: its own where its trace is recorded, and else a place to leave its times."""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, TraceFlags

from manometer.tracing import here
from manometer.tracing.ids import new_trace_id
from manometer.tracing.known_sampler import never_samples
from manometer.tracing.place import NOTHING, NOWHERE, Leaving, Place, latest
from manometer.tracing.place_span import PlaceSpan
from manometer.tracing.stage_span import StageSpan, outages
from manometer.tracing.wanted import Stage, Times
from manometer.version import __version__

__all__ = ["Recording", "RunSpan", "open_span", "record_by"]

_tracer = trace.get_tracer("manometer", __version__)
_PLACE = "_manometer_place"
"""The attribute of a context that has its place."""


class RunSpan(Protocol):
    """What a run has until it ends. note: see `Place`; None where `close` is needed, however the run ends."""

    @property
    def note(self) -> Callable[[Times], None] | None: ...

    def close(self, stage: Stage, start: float, end: float, error: BaseException | None) -> Mapping[str, str] | None:
        """The run ended, by the stage's clock; returns the labels of its exemplar."""

    def abandon(self, error: BaseException) -> None:
        """That came in between: the run never began."""


class Recording(Leaving, Protocol):
    """What records the traces of a provider of ours. is_alone: whether all spans of that provider go to us alone."""

    @property
    def provider(self) -> object: ...

    @property
    def is_alone(self) -> bool: ...

    def start(self, stage: Stage, trace_id: int, parent: SpanContext | None) -> Span:
        """The span of a run that begins in a trace that is recorded."""


_recording: tuple[object, Recording | None] = (None, None)
"""Our provider, where there is one, and what records its traces; None while nothing does."""


def record_by(provider: object, recording: Recording | None) -> None:
    """Have the traces of our provider recorded so from now on; None for not at all."""
    global _recording
    _recording = provider, recording
    latest.pair = NOWHERE


def open_span(stage: Stage, *, is_current: bool = True, is_function: bool = False) -> RunSpan | None:
    """The span of a run that begins; None where there is nothing to be told of the run's end.

    The first stage of a trace decides, and those within follow: in a trace that is not sampled no stage has a span.
    is_current: whether the span is to be the parent of what follows in this context. is_function: whether the run can
    be found by its frame while it is under way, as `running` says.
    """
    opened: StageSpan | None = None
    try:
        context = here.current()
        span = _chosen(stage, context, is_current=is_current, is_function=is_function)
        if span is None or type(span) is Place:
            return span
        opened = StageSpan(cast(Span, span), context)
        if is_current:
            within = Context({**context, here.CURRENT: span})
            opened.make_current(within)
            if type(span) is PlaceSpan:
                latest.pair = within, span.place
    except BaseException as error:
        if opened is not None:
            opened.abandon(error)
        if not isinstance(error, Exception):
            raise
        outages.failed("start", "the spans of stages cannot be started; they are lost until they can")
        return None
    if outages.failing:
        outages.worked("start", "the spans of stages can be started again")
    return opened


def _chosen(stage: Stage, context: Context, *, is_current: bool, is_function: bool) -> Span | Place | None:
    """The span to open for a run that begins in that context, or the place where the run leaves its times."""
    place = _place(context)
    if place is None:
        return _begun(stage, context)
    if place is NOTHING:
        return None
    if is_current and (is_function or place.owner is not None):
        return place
    around = place.caller if place.owner is None else place.owner.get_span_context()
    return PlaceSpan(place.provider, place.recorder, around, outer=place if is_current else None)


def _place(context: Context) -> Place | None:
    """The place of that context, or NOTHING; None where a span is to be begun there."""
    known, place = latest.pair
    if known is context:
        return place or NOTHING
    provider, recording = trace._TRACER_PROVIDER, _recording
    recorder = recording[1] if provider is recording[0] else None
    span: Any = context.get(here.CURRENT)
    found: Place | None = span.place if type(span) is PlaceSpan else context.__dict__.get(_PLACE)
    if found is None or found.provider is not provider or found.recorder is not recorder:
        caller = None if span is None else span.get_span_context()
        if caller is not None and not caller.is_valid:
            caller = None
        if not _is_unsampled(provider, recording, caller):
            return None
        found = Place(provider, recorder, caller)
        if found.note is not None and context is _SHARED:
            context = Context()
            here.attach(context)  # for good, since it is as empty as the one that all threads share
        context.__dict__[_PLACE] = found
    leaves = found.note is not None
    latest.pair = context, found if leaves else None
    if _recording is not recording:  # since just now
        latest.pair = NOWHERE
    return found if leaves else NOTHING


def _is_unsampled(provider: object, recording: tuple[object, Recording | None], caller: SpanContext | None) -> bool:
    """Whether it is known that no trace is recorded under that caller; None where the trace begins here."""
    ours, recorder = recording
    if provider is ours and recorder is None:
        return True
    if caller is None:
        return never_samples(provider) if recorder is None or provider is not ours else recorder.sampling.share <= 0
    if caller.trace_flags & TraceFlags.SAMPLED:
        return False
    return not caller.is_remote or provider is not ours or recorder is None or recorder.sampling.follows_caller


def _begun(stage: Stage, context: Context) -> Span | None:
    """A span that begins: one of ours, or of the program's tracer; None where that one has none."""
    ours, recorder = _recording
    found: Any = context.get(here.CURRENT)
    parent = None if found is None else found.get_span_context()
    if parent is not None and not parent.is_valid:
        parent = None
    if recorder is None or trace._TRACER_PROVIDER is not ours or not recorder.is_alone:
        attributes = {"engine.name": stage.engine, "engine.stage.name": stage.stage}
        span = _tracer.start_span(stage.stage, kind=stage.kind, attributes=attributes)
        told = span.get_span_context()
        if not told.is_valid:
            return None
        if told.trace_flags & TraceFlags.SAMPLED or recorder is None or trace._TRACER_PROVIDER is not ours:
            return span
        return PlaceSpan(ours, recorder, parent, ids=told)
    trace_id = new_trace_id() if parent is None else parent.trace_id
    if parent is not None and (recorder.sampling.follows_caller or not parent.is_remote):
        is_sampled = bool(parent.trace_flags & TraceFlags.SAMPLED)
    else:
        is_sampled = recorder.sampling.takes(trace_id)
    return recorder.start(stage, trace_id, parent) if is_sampled else PlaceSpan(ours, recorder, parent)


_SHARED = contextvars.Context().run(here.current)
"""The empty context that all threads begin with."""
