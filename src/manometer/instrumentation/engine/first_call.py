"""A call that begins a trace, where a share of the traces is recorded."""

from collections.abc import Callable, Mapping
from sys import getrefcount
from typing import Any

from manometer.instrumentation.engine.series import StageSeries
from manometer.meters.write_buffer import PENDING_LIMIT
from manometer.tracing.beginning import REFERENCES, Beginning
from manometer.tracing.here import attach
from manometer.tracing.ids import chance
from manometer.tracing.latest import latest
from manometer.tracing.running import codes
from manometer.tracing.spans import open_taken

__all__ = ["first_call"]

_random = chance.random


def first_call(
    series: StageSeries, beginning: Beginning, function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> Any:
    """Call the function, as a run of the stage, in a trace of its own; the caller counts the run.

    A run that is not recorded and ends well makes no object of ours, as most traces are not recorded.
    """
    if _random() < beginning.share:
        return _recorded(series, beginning, function, args, kwargs)
    spare = beginning.spare
    clock, epoch = series.clock, latest.epoch
    trace = spare.pop() if spare else beginning.another()
    try:
        # That `finally` puts the context back whatever comes between two calls here, as a token of it could not.
        attach(trace.context)
        latest.pair = trace.pair
        start = clock()
        try:
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as error:
            series.ended(start, clock(), trace.span, error)
            raise
        end = clock()
        place = trace.place
        if place.note is not None and (place.wanted is not None or end - start > series.look_after):
            series.ended(start, end, trace.span)
            return result
        events = series.pending.events
        events.append(end - start)
        if len(events) >= PENDING_LIMIT:
            series.pending.relieve()
        return result
    finally:
        attach(beginning.context)
        if latest.epoch == epoch:
            latest.pair = beginning.pair
        if trace.span.ids is None and trace.place.owner is not None and getrefcount(trace.context) <= REFERENCES:
            spare.append(trace)


def _recorded(
    series: StageSeries, beginning: Beginning, function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> Any:
    span, start = open_taken(series, beginning), series.clock()
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        series.ended(start, series.clock(), span, error)
        raise
    series.ended(start, series.clock(), span)
    return result


codes.update((first_call.__code__, _recorded.__code__))
