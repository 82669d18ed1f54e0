"""The labelled series of a family: made under a cap, replaced, dropped, and read together."""

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, Generic, TypeVar

from manometer.meters.ended import Ended
from manometer.meters.family import Series, Values
from manometer.meters.fork import freed_in_child, renewed_in_child
from manometer.meters.labels import LONGEST_VALUE, OTHER
from manometer.meters.last_read import LastRead
from manometer.meters.lookup import Lookup
from manometer.meters.registration import Companion

__all__ = ["Children"]

C = TypeVar("C", bound=Any)


class Children(Generic[C]):
    """The series by their label values, in the order in which they came.

    max_series: the cap, past which new label values go to the series whose values are all `other`, as very long ones
    do at once; on_fold: hears of that, with the family's name; added_up: adds up readings.
    """

    def __init__(
        self,
        name: str,
        max_series: int,
        on_fold: Callable[[str], None] | None,
        added_up: Callable[[Sequence[Any]], Any],
    ) -> None:
        self.by_values: dict[Values, C] = {}
        """To look series up in. They come and go by the methods alone."""
        self.lookup: Lookup[C] = Lookup()
        """The same where there are one or two labels; the family looks there at every event."""
        self._lock = freed_in_child(RLock())  # a finalizer may come here amid the making of a series
        self._name, self._max_series, self._on_fold = name, max_series, on_fold
        self._ended: Ended[Any] = Ended(self._lock, added_up, max_series)
        self.last_read = LastRead(self._lock)
        self._keeper: Companion | None = None

    def join(self, companion: Companion, *, add_up: bool) -> None:
        """Belong to the companion's registry; add_up: whether what removed series came to can be added up."""
        self._keeper = companion if add_up else None
        if self._on_fold is None:
            self._on_fold = companion.folded

    @property
    def are_kept(self) -> bool:
        """Whether what removed series came to is kept."""
        return self._keeper is not None and self._keeper.keeps_ended

    def admitted(self, values: Values, make: Callable[[Values], C]) -> C:
        """The series of these label values, made where there is none."""
        with self._lock:
            is_full = len(self.by_values) >= self._max_series
            folds = (is_full or max(map(len, values)) > LONGEST_VALUE) and values not in self.by_values
            if folds:
                values = (OTHER,) * len(values)
            child = self.by_values.get(values)
            if child is None:
                child = self.by_values.setdefault(values, make(values))
                self.last_read.forget()
                self._have_found(values, child)
            elif not folds:  # it was looked for by these very values, and missing there
                self._have_found(values, child)
        if folds and self._on_fold is not None:
            self._on_fold(self._name)
        return child

    def exposed(self, values: Values, child: C, make: Callable[[Values], C], *, past_cap: bool) -> C:
        """That series, now in the place of the one of these label values.

        past_cap: whether it may be one too many; else the shared one is given back then, made where it is new.
        """
        with self._lock:
            earlier = self.by_values[values] if values in self.by_values else None  # noqa: SIM401 - `get` is a call
            if earlier is None and not past_cap:
                return self.admitted(values, lambda admitted: child if admitted == values else make(admitted))
            if earlier is not child:
                self.by_values[values] = child  # with no call since the look, so that no handler came in between
                self.last_read.forget()
                self._have_found(values, child)
                if earlier is not None:
                    self._end(values, earlier)
        self._ended.settle()
        return child

    def drop(self, values: Values, only: C | None = None) -> None:
        """Drop the series of these label values, if it is there; only: unless it is another than that one."""
        with self._lock:
            child = self.by_values.get(values)
            if child is not None and (only is None or child is only):
                self._drop(values, child)
        self._ended.settle()

    def drop_where(self, wanted: Callable[[Values], bool]) -> None:
        """Drop each series whose label values are wanted so."""
        with self._lock:
            for values in [*self.by_values]:  # no pairs: amid their making, CPython 3.11 may run a finalizer
                child = self.by_values.get(values)
                if child is not None and wanted(values):
                    self._drop(values, child)
        self._ended.settle()

    def now(self, shown: object) -> tuple[Callable[[], Sequence[Series]], Callable[[], Sequence[Series]]]:
        """What reads the series that there are now, and what those that were removed came to.

        shown: see `LastRead.now`.
        """
        with self._lock:
            return self.last_read.now(self.by_values, shown), self._ended.now()

    def copy(self) -> dict[Values, C]:
        """The series that there are now."""
        with self._lock:
            return dict(self.by_values)

    def forget(self, *, ended: bool) -> None:
        """In a forked child: look at every series again; ended: forget what removed ones came to.

        Another thread of the parent may have been amid a removal, so the lookup may find a series that is gone.
        """
        self.lookup.clear()
        self.last_read.forget()
        if ended:
            self._ended.clear()

    def _have_found(self, values: Values, child: C) -> None:
        """Have the lookup find the series, if it is the one that is there.

        A signal handler or a finalizer may have removed or replaced it, between any two calls up to here.
        """
        self.lookup.drop(values)
        self.lookup.put(values, child)
        if self.by_values.get(values) is not child:
            self.lookup.drop(values)

    def _drop(self, values: Values, child: C) -> None:
        if values in self.by_values and self.by_values[values] is child:
            del self.by_values[values]  # with no call since the look, so that no handler came in between
            self.lookup.drop(values)  # after that, or a handler in between would have it found again
            self._end(values, child)

    def _end(self, values: Values, child: C) -> None:
        """A series is no longer its family's; the lock is held."""
        self.last_read.forget()
        renewed_in_child(child)  # the family does not renew the series any more, and the series may have writers yet
        if self.are_kept:
            self._ended.add(values, child)
