"""What @stage makes of everything that can be called, and of what cannot."""

import functools
import inspect
import pickle
import sys
import types
from abc import ABC, abstractmethod

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from manometer import MetricError, stage


@pytest.fixture
def measured(figures):
    """The stage `s` on the test's registry."""
    return stage("s", registry=figures.registry)


def runs(figures, outcome="ok"):
    """How many runs of the stage ended that way."""
    return figures("engine_stage_duration_seconds_count", engine_stage_name="s", engine_stage_outcome=outcome)


def active(figures):
    """How many are under way."""
    return figures("engine_stage_active", engine_stage_name="s")


class Plain:
    """Called like a function."""

    def __call__(self, x):
        return 2 * x

    def method(self):
        """Not what is called."""
        return "method"


class Async:
    """Called like a coroutine function."""

    async def __call__(self, x):
        await types.coroutine(lambda: (yield "waiting"))()
        return 2 * x


class Generating:
    """Called like a generator function."""

    def __call__(self, x):
        yield x


class AsyncGenerating:
    """Called like an asynchronous generator function."""

    async def __call__(self, x):
        yield x


async def double(x):
    """A coroutine function."""
    await types.coroutine(lambda: (yield "waiting"))()
    return 2 * x


def add(x, y):
    """A plain function."""
    return x + y


def finished(running):
    """What a coroutine returns."""
    while True:
        try:
            running.send(None)
        except StopIteration as stopped:
            return stopped.value


@pytest.mark.parametrize("function", [
    double, functools.partial(double), functools.partial(functools.partial(double)),
    Async(), Async().__call__, functools.partial(Async()),
])  # fmt: skip
def test_whatever_returns_a_coroutine_is_measured_to_its_end(figures, measured, function):
    """Objects with an asynchronous `__call__` and partials of such too."""
    running = measured(function)(3)
    assert (active(figures), runs(figures)) == (0, 0)
    assert running.send(None) == "waiting"
    assert (active(figures), runs(figures)) == (1, 0)
    assert finished(running) == 6
    assert (active(figures), runs(figures)) == (0, 1)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction is new in Python 3.12")
def test_a_function_that_is_marked_as_one_of_coroutines_is_measured_to_its_end(figures, measured):
    """A mark says what a function without `async` returns."""

    @measured
    @inspect.markcoroutinefunction
    def marked(x):
        return double(x)

    running = marked(3)
    running.send(None)
    assert active(figures) == 1
    assert finished(running) == 6
    assert runs(figures) == 1


def test_a_generator_that_can_be_awaited_stays_one(figures, measured):
    """`types.coroutine` is kept."""

    @measured
    @types.coroutine
    def waiting():
        yield "waiting"
        return 6

    async def work():
        return await waiting()

    running = work()
    running.send(None)
    assert active(figures) == 1
    assert finished(running) == 6
    assert runs(figures) == 1


def test_objects_that_are_called_like_generators_are_measured_to_the_end(figures, measured):
    """One run lasts from the first value to the last."""
    values = measured(Generating())(7)
    assert next(values) == 7
    assert active(figures) == 1
    assert list(values) == []
    assert runs(figures) == 1
    values = measured(AsyncGenerating())(7)
    step = values.asend(None)
    with pytest.raises(StopIteration):
        step.send(None)
    assert active(figures) == 1
    with pytest.raises(StopIteration):
        values.aclose().send(None)
    assert (active(figures), runs(figures)) == (0, 2)


def test_other_callables_are_measured(figures, measured):
    """Objects, partials, bound methods, C functions and functions that dispatch by type."""

    @functools.singledispatch
    def dispatched(x):
        return "any"

    assert measured(Plain())(2) == 4
    assert measured(functools.partial(add, 1))(2) == 3
    assert measured(Plain().method)() == "method"
    assert measured(len)("abc") == 3
    whole = measured(dispatched)
    whole.register(int, lambda x: "int")
    assert (whole(1), whole("x")) == ("int", "any")
    assert runs(figures) == 6


def test_a_decorated_object_keeps_its_methods(measured):
    """What can be asked of a cached function, or of any other object, can be asked of the decorated one."""
    cached = measured(functools.lru_cache(5)(len))
    cached("a"), cached("a"), cached("b")
    assert cached.cache_info()[:3] == (1, 2, 5)
    assert cached.cache_parameters() == {"maxsize": 5, "typed": False}
    cached.cache_clear()
    assert cached.cache_info().currsize == 0
    assert measured(Plain()).method() == "method"


class Guarded(Plain):
    """Has more than methods."""

    @property
    def secret(self):
        """Asked for by nobody."""
        raise RuntimeError


def test_a_decorated_function_has_no_attributes_but_its_own(measured):
    """Nothing of its class that is no method of its own, and no property is read."""
    assert vars(measured(add)) == {"__wrapped__": add}
    guarded = Guarded()
    guarded.version = 2
    assert vars(measured(guarded)).keys() == {"__wrapped__", "method", "version"}


class Abstract(ABC):
    """A class to look at."""

    @property
    def value(self):
        """A property."""
        return 1

    @functools.cached_property
    def kept(self):
        """A cached property."""
        return 1

    part = functools.partialmethod(add, 1)

    @functools.singledispatchmethod
    def dispatched(self, x):
        return "any"

    @stage("abstract")
    @abstractmethod
    def todo(self):
        """An abstract method."""


@pytest.mark.parametrize("wrong", [
    Plain, int, Abstract.__dict__["value"], Abstract.__dict__["kept"], Abstract.__dict__["part"],
    Abstract.__dict__["dispatched"], classmethod(Abstract.__dict__["value"]), None, 7,
])  # fmt: skip
def test_what_is_no_function_is_refused(measured, wrong):
    """A class, a property and the like would come back as something else."""
    advice = (
        "; decorate the function that it is made of, such as a method of the class, or what stands below @property$"
    )
    with pytest.raises(MetricError, match=f"is no function, and cannot be measured{advice}"):
        measured(wrong)


def test_an_abstract_method_stays_abstract():
    """The class still cannot be instantiated."""
    with pytest.raises(TypeError, match="abstract"):
        Abstract()


@stage("pickled")
def shipped(x: int, *, times: int = 2) -> int:
    """Multiply."""
    return x * times


class Shipping:
    """Has decorated methods."""

    @stage("pickled")
    def method(self):
        """A method."""

    @staticmethod
    @stage("pickled")
    def apart():
        """A static method."""


def test_a_decorated_function_looks_like_the_function():
    """Signature, annotations, name, `__wrapped__` and pickling by name."""
    assert str(inspect.signature(shipped)) == "(x: int, *, times: int = 2) -> int"
    assert (shipped.__name__, shipped.__doc__, shipped.__module__) == ("shipped", "Multiply.", __name__)
    assert shipped.__wrapped__(3) == shipped(3) == 6
    assert Shipping.method.__qualname__ == "Shipping.method"


def test_decorated_functions_are_pickled_by_name(monkeypatch):
    """As functions are."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, types.SimpleNamespace(**globals())))
    for function in (shipped, Shipping.method, Shipping.apart):
        assert pickle.loads(pickle.dumps(function)) is function


def test_a_function_may_be_two_stages(figures, measured):
    """Each is measured."""
    twice = stage("outer", registry=figures.registry)(measured(add))
    assert twice(1, 2) == 3
    assert figures.all("engine_stage_duration_seconds_count", "engine_stage_name").keys() == {"s", "outer"}


class Tracer:
    """Its spans are sampled, and record nothing."""

    def start_span(self, *args, **kwargs):
        return NonRecordingSpan(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(1)))


def deepest(call):
    """How deep a function may be nested before the interpreter says no."""
    found, step = 0, 512
    while step:
        try:
            call(found + step)
        except RecursionError:
            step //= 2
        else:
            found += step
    return found


@pytest.mark.usefixtures("whole_stack")
@pytest.mark.parametrize("is_traced", [False, True])
def test_a_stage_takes_one_frame_of_the_stack(measured, tracer, is_traced):
    """Recursion goes half as deep as without; the bare function is a frame a call as well."""
    if is_traced:
        tracer(Tracer())

    def bare(depth):
        return depth and bare(depth - 1)

    @measured
    def nested(depth):
        return depth and nested(depth - 1)

    room = sys.getrecursionlimit() - deepest(bare)
    assert deepest(nested) >= (sys.getrecursionlimit() - room) // 2 - 20


@pytest.mark.usefixtures("whole_stack")
def test_the_end_of_the_stack_costs_no_exception_of_the_program(figures, measured):
    """Where there is no room to count a run, the program has its own exception all the same."""

    @measured
    def nested(depth):
        if not depth:
            raise ZeroDivisionError
        nested(depth - 1)

    @measured
    def returning(depth):
        return depth and returning(depth - 1)

    for depth in range(deepest(returning) - 10, deepest(returning)):
        with pytest.raises(ZeroDivisionError):
            nested(depth)
    assert active(figures) == 0
