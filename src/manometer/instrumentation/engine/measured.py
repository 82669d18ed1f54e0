"""Functions of every kind with each call measured as a run of a stage, in one frame of the stack more."""

import functools
import inspect
import types
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from opentelemetry import trace

from manometer.instrumentation.engine.first_call import first_call
from manometer.instrumentation.engine.series import StageSeries
from manometer.meters.write_buffer import PENDING_LIMIT
from manometer.tracing.beginning import Beginning
from manometer.tracing.here import current
from manometer.tracing.latest import latest
from manometer.tracing.running import codes
from manometer.tracing.spans import open_call

__all__ = ["measured"]


def measured(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind, name, signature and attributes, with each call a run of the stage."""
    wrapped = functools.wraps(function)(_wrapper(function)(series, function))
    # `cache_info` of a cached function and its like are the class's, and no attributes of the object.
    for name, _ in inspect.getmembers_static(type(function), inspect.isroutine):
        if not name.startswith("_") and name not in vars(wrapped):
            setattr(wrapped, name, getattr(function, name))
    return wrapped


def _wrapper(function: Any) -> Callable[[StageSeries, Callable[..., Any]], Callable[..., Any]]:
    while isinstance(function, functools.partial):
        function = function.func
    for is_kind, wrapper in _KINDS:
        if is_kind(function) or is_kind(type(function).__call__):
            return wrapper
    return _function


def _is_awaited_generator(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return isinstance(code, types.CodeType) and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)


# A signal handler may raise between any two calls. So `began` and `over` are one C call each. `began` is the first
# call of a `try`, and `over` is the first call of its `finally`: CPython runs no handler between such a call and the
# edge of the `try`. A run that may be suspended is held by an object, which goes with the frame. No loop may begin
# with a `try` of its own: since Python 3.13 no exception table covers the jump.


def _function(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    """Each call is a run."""
    # What runs most often is written out, what `observe` and `Place.close` do too: a run that is not recorded and
    # ends well calls nothing of ours that is no C.
    began, over, ended = series.runs.began, series.runs.ended, series.ended
    events, relieve, limit = series.pending.events, series.pending.relieve, PENDING_LIMIT
    clock = series.clock

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            began()
            span: Any = None  # RunSpan | Beginning | None
            note = None
            if trace._TRACER_PROVIDER is not None:
                known, span = latest.pair
                if current() is not known:
                    span = open_call(series)
                if span is not None:
                    note = span.note
                    if note is None and isinstance(span, Beginning):
                        return first_call(series, span, function, args, kwargs)
            start = clock()
            try:
                # Without keywords there is no need for a dictionary of them, which saves a tenth of the call.
                result = function(*args, **kwargs) if kwargs else function(*args)
            except BaseException as error:
                ended(start, clock(), span, error)
                raise
            end = clock()
            if span is not None:
                if note is None or end - start > series.look_after:
                    ended(start, end, span)
                    return result
                note((series, start, end, None))
            events.append(end - start)
            if len(events) >= limit:
                relieve()
            return result
        finally:
            over()

    codes.add(call.__code__)
    return call


def _coroutine(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    """Each run lasts until the coroutine has ended."""
    hold, let_go, ended, clock = series.hold, series.runs.held.discard, series.ended, series.clock

    async def call(*args: Any, **kwargs: Any) -> Any:
        run = hold()
        try:
            span, start = series.span(), clock()
            run.began = start
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                ended(start, clock(), span, error)
                raise
            ended(start, clock(), span)
            return result
        finally:
            let_go(run.tie)

    return call


# A generator hands its caller control in mid-run, so its span is not made the current one: the
# caller's own work would become its child. A caller that stops early ends the run well.


def _generator(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    """Each run lasts from the first value that is asked for to the end of the iteration."""
    hold, let_go, ended, clock = series.hold, series.runs.held.discard, series.ended, series.clock

    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run = hold()
        try:
            span, start = series.span(is_current=False), clock()
            run.began = start
            try:
                result = yield from function(*args, **kwargs)
            except GeneratorExit:
                ended(start, clock(), span)
                raise
            except BaseException as error:
                ended(start, clock(), span, error)
                raise
            ended(start, clock(), span)
            return result
        finally:
            let_go(run.tie)

    return call


def _async_generator(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    """Each run lasts from the first value that is asked for to the end of the iteration."""
    hold, let_go, ended, clock = series.hold, series.runs.held.discard, series.ended, series.clock

    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run = hold()
        try:
            span, start = series.span(is_current=False), clock()
            run.began = start
            try:
                values = function(*args, **kwargs)
                step = values.asend(None)
                while True:
                    awaited = step
                    try:
                        value = await awaited
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
            except GeneratorExit:
                ended(start, clock(), span)
                raise
            except BaseException as error:
                ended(start, clock(), span, error)
                raise
            ended(start, clock(), span)
        finally:
            let_go(run.tie)

    return call


def _awaited_generator(series: StageSeries, function: Callable[..., Any]) -> Callable[..., Any]:
    return types.coroutine(_generator(series, function))


_KINDS = (
    (inspect.isasyncgenfunction, _async_generator),
    (_is_awaited_generator, _awaited_generator),
    (inspect.isgeneratorfunction, _generator),
    (inspect.iscoroutinefunction, _coroutine),
)
