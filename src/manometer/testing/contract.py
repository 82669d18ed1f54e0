"""What every instrumented object keeps to, whichever its subject and its library."""

import asyncio
import gc
import time
import weakref
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import closing
from inspect import isawaitable
from types import FrameType
from typing import Any, ClassVar, TypeVar

from manometer.catalogue import SUBJECTS, MetricSpec, label
from manometer.errors import BindingError
from manometer.instrumentation.binding import Binding
from manometer.testing.clock import ManualClock
from manometer.testing.figures import Figures

__all__ = ["DEADLINE", "Contract", "given", "until"]

T = TypeVar("T")

DEADLINE = 60.0
"""Seconds after which what a test waits for has not come."""


class Contract:
    """The base of the contracts: give them an object, and how it is used.

    A contract is a class of tests for pytest, or for whatever else calls the methods whose names begin with `test_`.
    What a class has to give may be coroutines; each test runs on an event loop of its own.
    """

    subject: ClassVar[str]
    name_attribute: ClassVar[str]
    rows: ClassVar[Mapping[str, MetricSpec]]
    """What an adapter of the subject may tell, by the contract's word for it."""
    always: ClassVar[Collection[str]] = ()
    """What each adapter of the subject tells."""
    tells: ClassVar[Collection[str]] = ()
    """What this one tells besides: the rest has no series."""

    def make(self) -> Any:
        """An object of the library."""
        raise NotImplementedError

    def dispose(self, target: Any) -> Any:
        """End what the object has begun, such as threads."""

    def instrument(self, target: Any, name: str, figures: Figures) -> Any:
        """Measure the object under that name; returns what the program is to use."""
        raise NotImplementedError

    def use(self, target: Any) -> Any:
        """Use the object once, in whatever way."""
        raise NotImplementedError

    # --- the contract

    def test_what_is_told_has_series_and_nothing_else_has(self) -> None:
        """An adapter declares what its library can tell; a figure that can never move is made up."""
        self._run(self._tells)

    def test_closing_removes_the_series_and_gives_the_object_back(self) -> None:
        """The object goes on, and is of its own class."""
        self._run(self._closes)

    def test_an_object_is_bound_once(self) -> None:
        """A second name would count each event twice."""
        self._run(self._is_bound_once)

    def test_another_object_under_the_name_takes_its_place(self) -> None:
        """The series are those of the second; the first goes on, and counts for nobody."""
        self._run(self._is_replaced)

    def test_an_object_that_dies_takes_its_series_with_it(self) -> None:
        """Nothing of the kit holds it."""
        self._run(self._dies)

    def test_the_object_stays_an_instance_of_its_class(self) -> None:
        """The program may ask."""
        self._run(self._stays)

    async def _tells(self, figures: Figures) -> None:
        target = self.instrument(await given(self.make()), "tried", figures)
        await given(self.use(target))
        found, expected = self._told(figures), {self.rows[each].name for each in {*self.tells, *self.always}}
        equal(found, expected, "the metrics that have series")
        await given(self.dispose(target))

    async def _closes(self, figures: Figures) -> None:
        plain = await given(self.make())
        kind = type(plain)
        target = self.instrument(plain, "tried", figures)
        binding = Binding.of(target)
        binding.close()
        equal(self._told(figures), set(), "the metrics that have series after closing")
        equal(type(plain), kind, "the class after closing")
        await given(self.use(target))
        equal(self._told(figures), set(), "the metrics that have series after use of a closed object")
        equal(binding.closed, True, "closed")
        await given(self.dispose(target))

    async def _is_bound_once(self, figures: Figures) -> None:
        plain = await given(self.make())
        target = self.instrument(plain, "tried", figures)
        try:
            self.instrument(plain, "again", figures)
        except BindingError:
            pass
        else:
            raise AssertionError("it can be bound twice")
        equal(self._told(figures, "again"), set(), "the metrics of the second binding")
        await given(self.dispose(target))

    async def _is_replaced(self, figures: Figures) -> None:
        first = self.instrument(await given(self.make()), "tried", figures)
        await given(self.use(first))
        second = self.instrument(await given(self.make()), "tried", figures)
        with figures.changes() as changes:
            await given(self.use(first))
        grown = {series for series, growth in changes.read().items() if growth and self._is_ours(series[1])}
        equal(grown, set(), "the series that the object in whose place another came still moves")
        equal(
            (Binding.of(second).closed, is_bound(first)),
            (False, False),
            "whether the second is closed, the first bound",
        )
        for each in (first, second):
            await given(self.dispose(each))

    async def _dies(self, figures: Figures) -> None:
        target = self.instrument(await given(self.make()), "tried", figures)
        await given(self.use(target))
        await given(self.dispose(target))
        try:
            gone = weakref.ref(target)
        except TypeError:  # then its binding holds it until it is closed
            return
        del target
        until(lambda: gc.collect() >= 0 and gone() is None, lambda: _held_by(gone()))
        equal(self._told(figures), set(), "the metrics that have series after the object's death")

    async def _stays(self, figures: Figures) -> None:
        plain = await given(self.make())
        kind = type(plain)
        target = self.instrument(plain, "tried", figures)
        equal(isinstance(target, kind), True, f"isinstance of {kind.__qualname__}")
        equal(type(target).__qualname__, kind.__qualname__, "the name of the class")
        await given(self.dispose(target))

    # --- for the contracts

    def _run(
        self, scenario: Callable[[Figures], Coroutine[Any, Any, None]], clock: ManualClock | None = None
    ) -> None:
        unknown = {*self.tells} - self.rows.keys()
        equal(unknown, set(), f"words in `tells` that are none of {', '.join(self.rows)}")
        # Not by `asyncio.run`, whose first Ctrl-C a scenario that waits without awaiting would not hear.
        with closing(asyncio.new_event_loop()) as loop:
            loop.run_until_complete(scenario(Figures(clock=clock)))

    def _told(self, figures: Figures, name: str = "tried") -> set[str]:
        """The subject's metrics that have series of the object of that name."""
        names = {series for series, labels in figures.read() if self._is_ours(labels, name)}
        return {
            row.name
            for row in SUBJECTS[self.subject]
            if names & {row.prometheus_name, f"{row.prometheus_name}_count"}
        }

    def _is_ours(self, labels: frozenset[tuple[str, str]], name: str = "tried") -> bool:
        return (label(self.name_attribute), name) in labels

    def _value(self, figures: Figures, word: str, suffix: str = "", **attributes: str) -> float | None:
        """The value of one figure; attributes: by their OpenTelemetry names, with `__` for each dot."""
        labels = {label(each.replace("__", ".")): value for each, value in attributes.items()}
        return figures(self.rows[word].prometheus_name + suffix, **labels)


def equal(found: object, expected: object, what: str) -> None:
    """Raise AssertionError where the two differ: pytest rewrites no assert in here."""
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, and not {expected!r}")


def is_bound(target: object) -> bool:
    """Whether the object has an open binding."""
    try:
        Binding.of(target)
    except BindingError:
        return False
    return True


def _held_by(target: object) -> str:
    """Who keeps an object alive that the program has let go of, for the message; a library may keep all it made."""
    holders = {type(each).__qualname__ for each in gc.get_referrers(target) if not isinstance(each, FrameType)}
    return f"it dies once the program lets go of it; it is held by {', '.join(sorted(holders)) or 'a variable'}"


async def given(result: T | Awaitable[T]) -> T:
    """What was returned, or what the coroutine returns."""
    return await result if isawaitable(result) else result


def until(holds: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Wait until it holds; AssertionError where it does not within a minute, with `what` or what that returns."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.001)
