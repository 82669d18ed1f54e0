"""The ties of one subject on one registry: made under a cap, read, replaced and released."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from manometer.errors import BindingError
from manometer.instrumentation.clock import Clock
from manometer.instrumentation.identity import Identity, folded
from manometer.instrumentation.own_series import OwnSeries
from manometer.instrumentation.subject_meters import SubjectMeters
from manometer.instrumentation.tie import TargetReference, Tie
from manometer.meters.family import Series
from manometer.meters.labels import SERIES_CAP
from manometer.registry.catalogued import series
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Ties"]

_READING = "the reading of"

_log = logging.getLogger("manometer")


class Ties:
    """One tie for each identity, and those of the objects past the cap, which share the identity `other`."""

    def __init__(self, meters: SubjectMeters, self_metrics: SelfMetrics) -> None:
        self._meters, self._lock = meters, meters.lock
        self._self_metrics = self_metrics
        self._by_identity: dict[tuple[tuple[str, str], ...], Tie] = {}
        self._past_cap: set[Tie] = set()
        self._dead: deque[TargetReference] = deque()  # whose ties are still to be released; a finalizer appends to it

    def of(self, identity: Identity) -> Tie | None:
        """The tie that has this identity, where its object is alive."""
        with self._lock:
            found = self._by_identity.get(tuple(identity.items()))
        return found if found is not None and found.target is not None else None

    @contextmanager
    def making(
        self, target: object, owned: object, identity: Identity, clock: Clock, *, is_drop_in: bool
    ) -> Iterator[Tie]:
        """A new tie, to be set up within the block, with whose end it takes the place of the one of this identity."""
        with self._lock:
            self._release_dead()
            holder = Tie.owner(owned)
            if holder is not None:
                raise BindingError(f"{holder.series.path} is already bound; close its Binding first")
            if not identity and () in self._by_identity:
                raise BindingError(
                    f"the {self._meters.subject} is already bound on this registry; "
                    "close its Binding first, or the Manometer that was started on the registry"
                )
            folds = len(self._by_identity) >= SERIES_CAP and tuple(identity.items()) not in self._by_identity
            if folds:
                identity = folded(identity)
                self._self_metrics.folded(self._meters.subject)
            tie = Tie(
                target,
                owned,
                OwnSeries(self._meters, identity, folds=folds),
                clock,
                died=self._dead.append,  # a single C call, which no lock and no other thread can hold up
                release=self.release,
                is_drop_in=is_drop_in,
            )
        try:
            yield tie
            with self._lock:
                if not tie.closed:
                    self._take_in(tie, target)
        except BaseException:
            self.release(tie)
            raise

    def _take_in(self, tie: Tie, target: object) -> None:
        """Show what is set up, in the place of what has its identity."""
        tie.ready(target)
        if tie.series.folds:  # one set of labels can show one object's state, so those past the cap show none
            self._past_cap.add(tie)
            return
        key = tuple(tie.series.identity.items())
        earlier = self._by_identity.get(key)
        self._by_identity[key] = tie
        if earlier is not None:
            earlier.cut()

    def release(self, tie: Tie) -> None:
        """Forget a tie, and remove its series."""
        with self._lock:
            if tie.closed:
                return
            key = tuple(tie.series.identity.items())
            if self._by_identity.get(key) is tie:
                del self._by_identity[key]
            self._past_cap.discard(tie)
            self._self_metrics.gone(tie.series.path, _READING)
            tie.cut()

    def read(self) -> dict[str, list[Series]]:
        """One snapshot of every object, by metric; one that raises loses only its own figures."""
        found: dict[str, list[Series]] = {}
        with self._lock:
            self._release_dead()
            ties = list(self._by_identity.values())
        for tie in ties:
            target = tie.target
            if target is None:  # it has died since
                continue
            try:
                for row, attributes, value in tie.figures(target):
                    found.setdefault(row.name, []).append(series(row, attributes, value))
            except Exception:
                self._self_metrics.failed(tie.series.path, _READING)
            else:
                self._self_metrics.worked(tie.series.path, _READING)
        return found

    def _release_dead(self) -> None:
        """Remove the series of the objects that died, and make room for others under the cap."""
        while self._dead:
            tie = self._dead.popleft().tie
            if tie.is_drop_in and not tie.closed and tie.series.are_unused:
                _log.warning(
                    "the drop-in for %s was thrown away unused; put what instrument_%s returned in the place of "
                    "what was passed, or nothing is measured",
                    tie.series.path,
                    self._meters.subject,
                )
            self.release(tie)
