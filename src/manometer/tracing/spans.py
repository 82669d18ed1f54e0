"""Which span a run of a stage has: its own where its trace is recorded, and else a place to leave its times."""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, TraceFlags

from manometer.tracing import here
from manometer.tracing.beginning import Beginning
from manometer.tracing.ids import new_trace_id
from manometer.tracing.items import giver_of
from manometer.tracing.known_sampler import known_ratio, tracer_of_taken
from manometer.tracing.latest import NOWHERE, latest
from manometer.tracing.place import NOTHING, Leaving, Place
from manometer.tracing.place_span import PlaceSpan
from manometer.tracing.ratio import Ratio
from manometer.tracing.stage_span import StageSpan, outages
from manometer.tracing.wanted import Stage, Times
from manometer.version import __version__

__all__ = ["Closing", "Recording", "RunSpan", "open_call", "open_span", "open_taken", "record_by"]

_tracer = trace.get_tracer("manometer", __version__)
_PLACE = "_manometer_place"
"""The attribute of a context that has its place."""


class Closing(Protocol):
    """What is to be told of a run's end."""

    def close(self, stage: Stage, start: float, end: float, error: BaseException | None) -> Mapping[str, str] | None:
        """The run ended, by the stage's clock; returns the labels of its exemplar."""


class RunSpan(Closing, Protocol):
    """What a run has until it ends. note: see `Place`; None where `close` is needed, however the run ends."""

    @property
    def note(self) -> Callable[[Times], None] | None: ...

    def abandon(self, error: BaseException) -> None:
        """That came in between: the run never began."""


class Recording(Leaving, Protocol):
    """What records the traces of a provider of ours.

    is_alone: whether all spans of that provider go to us alone. ratio: what is recorded of the traces that begin
    here.
    """

    @property
    def provider(self) -> object: ...

    @property
    def is_alone(self) -> bool: ...

    @property
    def ratio(self) -> Ratio: ...

    def start(self, stage: Stage, trace_id: int, parent: SpanContext | None) -> Span:
        """The span of a run that begins in a trace that is recorded."""


_recording: tuple[object, Recording | None] = (None, None)
"""Our provider, where there is one, and what records its traces; None while nothing does."""


def record_by(provider: object, recording: Recording | None) -> None:
    """Have the traces of our provider recorded so from now on; None for not at all."""
    global _recording
    _recording = provider, recording
    latest.forget()


def open_span(stage: Stage, *, is_current: bool = True) -> RunSpan | None:
    """The span of a run that begins; None where there is nothing to be told of the run's end.

    The first stage of a trace decides, and those within follow: in a trace that is not sampled no stage has a span.
    is_current: whether the span is to be the parent of what follows in this context.
    """

    def choose(context: Context) -> Span | Place | None:
        place = _place(context)
        if isinstance(place, Beginning):
            return _first(stage, place) if place.takes() else place.unrecorded()
        if place is None or place is NOTHING or (is_current and place.owner is not None):
            return _begun(stage, context) if place is None else place
        around = place.caller if place.owner is None else place.owner.get_span_context()
        return PlaceSpan(place.provider, place.recorder, around, outer=place if is_current else None)

    return _opened(choose, is_current=is_current)


def open_call(stage: Stage) -> RunSpan | Beginning | None:
    """The same of a function's call, which can be found by its frame while it is under way, as `running` says.

    Where a trace begins with it on which nobody has decided, that is the caller's to do: there is no span yet.
    """
    beginning: Beginning | None = None

    def choose(context: Context) -> Span | Place | None:
        nonlocal beginning
        place = _place(context)
        if isinstance(place, Beginning):
            beginning = place
            return None
        return _begun(stage, context) if place is None else place

    return _opened(choose) or beginning


def open_taken(stage: Stage, beginning: Beginning) -> RunSpan | None:
    """The span of a run that begins a trace there, of which it is decided that it is recorded."""
    return _opened(lambda _: _first(stage, beginning))


def _opened(choose: Callable[[Context], Span | Place | None], *, is_current: bool = True) -> RunSpan | None:
    opened: StageSpan | None = None
    try:
        context = here.current()
        span = choose(context)
        if span is None or type(span) is Place:
            return None if span is NOTHING else span
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


def _place(context: Context) -> Place | Beginning | None:
    """The place of that context, or NOTHING, or that traces begin there; None where a span is to be begun there."""
    known, place = latest.pair
    if known is context:
        return place or NOTHING
    provider, recording = trace._TRACER_PROVIDER, _recording
    recorder = recording[1] if provider is recording[0] else None
    span: Any = context.get(here.CURRENT)
    found: Place | Beginning | None = span.place if type(span) is PlaceSpan else context.__dict__.get(_PLACE)
    if found is None or found.provider is not provider or found.recorder is not recorder:
        caller = None if span is None else span.get_span_context()
        if caller is not None and not caller.is_valid:
            caller = None
        ratio = _ratio(provider, recording, caller)
        giver = None if ratio is _NEVER else giver_of(context)
        if ratio is None or (ratio.share >= 1 and giver is None):
            return None
        if ratio.share > 0 or giver is not None:
            found = Beginning(context, provider, recorder, ratio, giver)
        else:
            found = Place(provider, recorder, caller)
            if found.note is not None and context is _SHARED:
                context = Context()
                here.attach(context)  # for good, since it is as empty as the one that all threads share
        context.__dict__[_PLACE] = found
    kept = found if type(found) is Beginning or found.note is not None else None
    latest.pair = context, kept
    if _recording is not recording:  # since just now
        latest.pair = NOWHERE
    return kept or NOTHING


def _ratio(provider: object, recording: tuple[object, Recording | None], caller: SpanContext | None) -> Ratio | None:
    """The share that is recorded of the traces under that caller; None where that is not known.

    caller: None where the traces begin here.
    """
    ours, recorder = recording
    if provider is ours and recorder is None:
        return _NEVER
    if caller is None:
        return known_ratio(provider) if recorder is None or provider is not ours else recorder.ratio
    if caller.trace_flags & TraceFlags.SAMPLED:
        return None
    follows = not caller.is_remote or provider is not ours or recorder is None or recorder.sampling.follows_caller
    return _NEVER if follows else None


def _first(stage: Stage, beginning: Beginning) -> Span | None:
    """The span of a run that begins a trace which is recorded; None where the program's tracer has none."""
    recorder = cast(Recording | None, beginning.recorder)
    if recorder is not None and recorder.is_alone:
        span = recorder.start(stage, beginning.ratio.taken_id(), None)
        if beginning.giver is not None:
            span.add_link(beginning.giver)
        return span
    return _span_of(tracer_of_taken(beginning.provider, beginning.ratio), stage, beginning.giver)


def _span_of(tracer: trace.Tracer, stage: Stage, giver: SpanContext | None) -> Span | None:
    """A span that begins, by the program's tracer; None where that one has none."""
    links = () if giver is None else (Link(giver),)
    span = tracer.start_span(stage.stage, kind=stage.kind, attributes=stage.attributes, links=links)
    return span if span.get_span_context().is_valid else None


def _begun(stage: Stage, context: Context) -> Span | None:
    """A span that begins within another, or where the sampler's rule is not known."""
    ours, recorder = _recording
    found: Any = context.get(here.CURRENT)
    parent = None if found is None else found.get_span_context()
    if parent is not None and not parent.is_valid:
        parent = None
    if recorder is None or trace._TRACER_PROVIDER is not ours or not recorder.is_alone:
        span = _span_of(_tracer, stage, giver_of(context) if parent is None else None)
        if span is None or recorder is None or trace._TRACER_PROVIDER is not ours:
            return span
        told = span.get_span_context()
        return span if told.trace_flags & TraceFlags.SAMPLED else PlaceSpan(ours, recorder, parent, ids=told)
    trace_id = new_trace_id() if parent is None else parent.trace_id
    if parent is not None and (recorder.sampling.follows_caller or not parent.is_remote):
        is_sampled = bool(parent.trace_flags & TraceFlags.SAMPLED)
    else:
        is_sampled = recorder.ratio.takes(trace_id)
    return recorder.start(stage, trace_id, parent) if is_sampled else PlaceSpan(ours, recorder, parent)


_NEVER = Ratio(0.0)
_SHARED = contextvars.Context().run(here.current)
"""The empty context that all threads begin with."""
