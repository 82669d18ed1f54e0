"""Tie: what holds one object and its series together, until the object dies or its binding is closed."""

import logging
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from manometer.instrumentation.clock import Clock
from manometer.instrumentation.own_series import OwnSeries
from manometer.registry.catalogued import Pulled

__all__ = ["TargetReference", "Tie"]

_log = logging.getLogger("manometer")

Read = Callable[[Any], Iterable[Pulled]]


class TargetReference(weakref.ref[Any]):
    """A weak reference to the target of a tie, from which the tie is found when the target is dead."""

    __slots__ = ("tie",)
    tie: "Tie"


class Tie:
    """An object, held weakly where it can be, and what there is to do for it.

    target: what the program uses; owned: the object whose methods or hooks were changed, which may be another one.
    clock: what durations are measured by. is_drop_in: the program has to use the target, and not what is owned.
    died: called with the reference when the target dies; release: called by `close`.
    """

    def __init__(
        self,
        target: object,
        owned: object,
        series: OwnSeries,
        clock: Clock,
        *,
        died: Callable[[TargetReference], object],
        release: Callable[["Tie"], object],
        is_drop_in: bool,
    ) -> None:
        self.series, self.clock, self.is_drop_in = series, clock, is_drop_in
        self.read: Read = _nothing
        self.undo: list[Callable[[Any], object]] = []
        self._target, self._owned = self._watched(target, died), _reference(owned)
        self._release = release
        _by_owned[id(owned)] = self

    @staticmethod
    def of(target: object) -> "Tie | None":
        """The tie of the object, where it has one that is not closed."""
        tie = _by_target.get(id(target))
        return tie if tie is not None and not tie.closed and tie.target is target else None

    @staticmethod
    def owner(thing: object) -> "Tie | None":
        """The tie for which the object was changed, where that one is not closed, and its target is alive."""
        tie = _by_owned.get(id(thing))
        is_held = tie is not None and not tie.closed and tie.target is not None and tie._owned() is thing
        return tie if is_held else None

    @property
    def target(self) -> object | None:
        """The object, or None when it is gone."""
        found: object | None = self._target()
        return found

    @property
    def closed(self) -> bool:
        """Whether its series have been removed."""
        return self.series.dropped

    def figures(self, target: object) -> list[Pulled]:
        """What the object tells of itself now."""
        identity = self.series.identity
        return [(row, {**identity, **more}, value) for row, more, value in self.read(target)]

    def ready(self, target: object) -> None:
        """Its set-up is done: the object has this tie from now on, and the series are exposed."""
        _by_target[id(target)] = self
        self.series.expose()

    def close(self) -> None:
        """Have whoever keeps the tie forget and cut it; a second call does nothing."""
        self._release(self)

    def cut(self) -> None:
        """Remove the series, and take the instrumentation off."""
        self.series.drop()
        target = self.target
        for undo in self.undo if target is not None else ():
            try:
                undo(target)
            except Exception:
                _log.exception("%r could not be taken off in full; what is left of it counts nothing", self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Binding {self.series.path} {state}>"

    def _watched(self, target: object, died: Callable[[TargetReference], object]) -> Callable[[], Any]:
        """What returns the object, or None when it is gone; then `died` has been called."""
        try:
            found = TargetReference(target, died)
        except TypeError:
            return _reference(target)
        found.tie = self
        return found


_by_target: weakref.WeakValueDictionary[int, Tie] = weakref.WeakValueDictionary()
_by_owned: weakref.WeakValueDictionary[int, Tie] = weakref.WeakValueDictionary()


def _nothing(_target: object) -> Iterable[Pulled]:
    return ()


def _reference(thing: object) -> Callable[[], Any]:
    """What returns the object, or None when it is gone."""
    try:
        return weakref.ref(thing)
    except TypeError:  # an object with slots and no __weakref__: held until its binding closes
        return lambda: thing
