"""Whatever the code inside a stage does, its caller sees exactly what it would see without the stage."""

import asyncio
from types import coroutine

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from manometer import stage
from manometer.tracing.sampling import Sampling

EXCEPTIONS = (KeyError, StopIteration, StopAsyncIteration, GeneratorExit, asyncio.CancelledError, KeyboardInterrupt)

reactions = st.sampled_from(["pass on", "swallow", "replace", "return"])
"""What a step of the code does about an exception that comes in while it waits."""
steps = st.lists(st.tuples(st.integers(0, 3), reactions), max_size=4)
exceptions = st.sampled_from(EXCEPTIONS)
thrown = st.sampled_from([each for each in EXCEPTIONS if each is not GeneratorExit])
"""Python itself closes what a generator or a coroutine waits for in the place of throwing GeneratorExit into it."""
ends = st.tuples(st.just("return"), st.integers(0, 3)) | st.tuples(st.just("raise"), exceptions)
calls = st.lists(
    st.one_of(
        st.just(("next", None)),
        st.tuples(st.just("send"), st.integers(0, 3)),
        st.tuples(st.just("throw"), thrown),
        st.just(("close", None)),
    ),
    max_size=8,
)


class ReplacedError(Exception):
    """What the code raises in the place of what came in."""


@coroutine
def pause(value):
    """Give control to whoever drives the coroutine."""
    return (yield value)


def reacted(reaction, error):
    """Whether the code returns because of that exception."""
    if reaction == "pass on":
        raise error
    if reaction == "replace":
        raise ReplacedError from error
    return reaction == "return" or isinstance(error, GeneratorExit)  # after which nobody may wait for anything


def finish(end):
    """The end of the code."""
    how, what = end
    if how == "raise":
        raise what("end")
    return what


def function(script, end, seen):
    """Code of a plain function."""

    def code():
        seen.append(len(script))
        return finish(end)

    return code


def generator(script, end, seen):
    """Code of a generator."""

    def code():
        for value, reaction in script:
            try:
                seen.append((yield value))
            except BaseException as error:
                seen.append(type(error))
                if reacted(reaction, error):
                    return None
        return finish(end)

    return code


def awaiting(script, end, seen):
    """Code of a coroutine."""

    async def code():
        for value, reaction in script:
            try:
                seen.append(await pause(value))
            except BaseException as error:
                seen.append(type(error))
                if reacted(reaction, error):
                    return None
        return finish(end)

    return code


def asynchronous_generator(script, end, seen):
    """Code of an asynchronous generator."""

    async def code():
        for value, reaction in script:
            try:
                seen.append((yield value))
            except BaseException as error:
                seen.append(type(error))
                if reacted(reaction, error):
                    return
        finish(end)

    return code


def told(step, *arguments):
    """What comes of a call: its result, or the exception with its cause."""
    try:
        return "returned", step(*arguments)
    except BaseException as error:
        cause = error.__cause__
        return "raised", type(error), str(error), getattr(error, "value", None), type(cause), str(cause)


def driven(code, script):
    """All that a caller sees of the code, which it calls, drives by that script, and leaves."""
    outcome = told(code)
    yield outcome[0] if outcome[0] == "returned" else outcome
    if outcome[0] == "raised":
        return
    running = outcome[1]
    if hasattr(running, "asend"):
        yield from _driven_asynchronously(running, script)
    elif hasattr(running, "send"):
        for call, value in script:
            yield told(*_of(running, call, value))
            if call == "close":
                return
        yield told(running.close)
    else:
        yield running


def _of(running, call, value):
    return {
        "next": (running.send, None),
        "send": (running.send, value),
        "throw": (running.throw, value and value("thrown")) if call == "throw" else (),
        "close": (running.close,),
    }[call]


def _driven_asynchronously(running, script):
    def awaited(step):
        try:
            step.send(None)
        except StopIteration as stopped:
            return stopped.value
        return "waits"

    for call, value in [*script, ("close", None)]:
        match call:
            case "next":
                yield told(lambda: awaited(running.asend(None)))
            case "send":
                yield told(lambda value=value: awaited(running.asend(value)))
            case "throw":
                yield told(lambda value=value: awaited(running.athrow(value("thrown"))))
            case "close":
                yield told(lambda: awaited(running.aclose()))
                return


@pytest.mark.parametrize("is_traced", [False, True])
@pytest.mark.parametrize("kind", [function, generator, awaiting, asynchronous_generator])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=steps, end=ends, calls=calls)
def test_the_caller_sees_what_it_would_see_without(recorded, kind, is_traced, script, end, calls):
    """Values, results and exceptions, in the caller and in the code, also where it is traced or leaves a trace."""
    if is_traced:
        recorded(Sampling(0.0, left_a_second=1e9))
    seen, seen_in_stage = [], []
    bare = list(driven(kind(script, end, seen), calls))
    measured = stage("s", registry=CollectorRegistry())(kind(script, end, seen_in_stage))
    assert list(driven(measured, calls)) == bare
    assert seen_in_stage == seen
