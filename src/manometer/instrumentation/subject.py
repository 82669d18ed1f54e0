"""Subject: the collector of all that is instrumented of one kind, such as the caches, on one registry."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from time import perf_counter
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import MetricSpec
from manometer.errors import MetricError
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.clock import Clock, clock_of
from manometer.instrumentation.identity import NONE, Identity, check
from manometer.instrumentation.subject_meters import SubjectMeters
from manometer.instrumentation.ties import Ties
from manometer.meters.family import Family
from manometer.meters.fork import freed_in_child, notice
from manometer.meters.metric_view import MetricView
from manometer.meters.registration import register
from manometer.registry.catalogued import described
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Subject", "View"]


class View(NamedTuple):
    """Another form that the figures of a subject are shown in beside their own.

    rows: the metrics it makes; of: makes them of the families of one collection, which it leaves as they are.
    """

    rows: Sequence[MetricSpec]
    of: Callable[[Sequence[Family]], Iterable[Family]]


class Subject(Collector):
    """Binds the objects of one subject, and shows the families that they share."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self.name = self.collector_name = name
        self._registry = weakref.ref(registry)
        self_metrics = SelfMetrics.of(registry)
        self.meters = SubjectMeters(name, self_metrics)
        self.ties = Ties(self.meters, self_metrics)
        self._view: View | None = None

    @classmethod
    def on(cls, registry: CollectorRegistry, name: str) -> "Subject":
        """The registry's collector of that subject, made and registered where it has none."""
        found = _subjects.get(registry, _NO_SUBJECTS).get(name)
        if found is not None:  # no lock for one that is there: a finalizer may ask amid anything
            return found
        notice()
        with _subjects_lock:
            subjects = _subjects.setdefault(registry, {})
            if name not in subjects:
                subject = cls(name, registry)
                register(registry, subject, f"the instrumentation of the {name}")
                subjects[name] = subject
            return subjects[name]

    def bound(self, identity: Identity) -> Binding | None:
        """The open binding that has these attributes, where its object is alive."""
        tie = self.ties.of(identity)
        return None if tie is None else Binding(tie)

    @contextmanager
    def binding(
        self, target: object, identity: Identity = NONE, *, owned: object = None, is_drop_in: bool = False
    ) -> Iterator[Binding]:
        """A new Binding of the object, which these attributes tell from its siblings, to be set up within the block.

        With the end of the block it takes the place of whatever was bound there: no collection finds
        neither. Where the block raises, all that it has done is undone.
        owned: what the set-up changes, where that is not the object itself. is_drop_in: see `Bind`.
        Raises BindingError where an attribute's value is no text or is empty, and where what is owned is bound
        already: its library's hooks would count each event twice. Raises BindingError too where there are no
        attributes, and the subject has such a binding: the program would not see that it lost the first one.
        """
        check(identity, target)
        notice()
        owned = target if owned is None else owned
        with self.ties.making(target, owned, identity, self._clock, is_drop_in=is_drop_in) as tie:
            yield Binding(tie)

    def shows(self, registry: CollectorRegistry, view: View | None) -> None:
        """Show each collection in this form too; None for in no other form than its own.

        A registry asks for names when a collector is registered, so the subject is registered anew.
        MetricError where the registry has metrics of the view's names: then all stays as it was.
        """
        before, self._view = self._view, view
        registry.unregister(self)
        try:
            register(registry, self, f"another view of the {self.name}")
        except MetricError:
            self._view = before
            register(registry, self, f"the instrumentation of the {self.name}")
            raise

    def describe(self) -> Iterable[Metric]:
        return described((*self.meters.rows.values(), *(self._view.rows if self._view else ())))

    def collect(self) -> Iterable[Metric]:
        told = list(self.meters.families(self.ties.read()))
        yield from map(MetricView, told)
        if self._view is not None:
            yield from map(MetricView, self._view.of(told))

    @property
    def _clock(self) -> Clock:
        registry = self._registry()
        return perf_counter if registry is None else clock_of(registry)


_NO_SUBJECTS: dict[str, Subject] = {}
_subjects: weakref.WeakKeyDictionary[CollectorRegistry, dict[str, Subject]] = weakref.WeakKeyDictionary()
_subjects_lock = freed_in_child(RLock())
