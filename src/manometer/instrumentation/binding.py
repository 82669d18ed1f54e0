"""Binding: the tie between one object and its series, and what collects the bound ones of a subject."""

import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any, Self, TypeVar, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from manometer.catalogue import SUBJECTS, MetricSpec
from manometer.errors import BindingError
from manometer.meters import Counter, Gauge, Histogram, Meter
from manometer.meters.catalogued import Pulled, family, meter, pulled_sample
from manometer.meters.fork import freed_in_child
from manometer.meters.kit import Kit

__all__ = ["Binding", "Subject"]

M = TypeVar("M", bound=Meter)

_log = logging.getLogger("manometer")


class Binding:
    """Owns the series of one instrumented object; `close()` removes exactly those.

    An instrumentation makes one and hands the object back; `Binding.of(object)` finds it again.
    It holds the object weakly where it can: when the object dies, its series go with the next
    collection. Binding a second object under the name replaces the first.
    """

    def __init__(self, subject: "Subject", identity: Mapping[str, str], target: object) -> None:
        self._subject = subject
        self._identity = dict(identity)
        self._target = _reference(target)
        self._series: dict[tuple[Meter, tuple[str, ...]], Meter] = {}
        self._read: Callable[[Any], Iterable[Pulled]] = _nothing
        self._undo: list[Callable[[Any], object]] = []
        self.closed = self.failing = False
        _bound[id(target)] = self

    @staticmethod
    def of(target: object) -> "Binding":
        """The open binding of an instrumented object; BindingError where it has none."""
        binding = _bound.get(id(target))
        if binding is None or binding.closed or binding.target is not target:
            raise BindingError(
                f"{type(target).__qualname__} at {id(target):#x} is not bound; "
                "pass what instrument_cache, instrument_pool or their siblings returned"
            )
        return binding

    @property
    def target(self) -> object | None:
        """The instrumented object, or None when it is gone."""
        found: object | None = self._target()
        return found

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The labels that tell this object's series from its siblings'."""
        return tuple(self._identity.items())

    @property
    def path(self) -> str:
        """The subject and the object's label values, for messages: `pool/orders/connection`."""
        return "/".join((self._subject.name, *self._identity.values()))

    def counter(self, name: str, **labels: str) -> Counter:
        """A series of one of the subject's counters, for an event that the library itself hides.

        name: the OpenTelemetry name, such as `cache.prefetches`; labels: those beyond the object's own.
        """
        return self._own(name, Counter, labels)

    def gauge(self, name: str, **labels: str) -> Gauge:
        """A series of one of the subject's gauges; see `counter`."""
        return self._own(name, Gauge, labels)

    def histogram(self, name: str, **labels: str) -> Histogram:
        """A series of one of the subject's histograms; see `counter`."""
        return self._own(name, Histogram, labels)

    def pulls(self, read: Callable[[Any], Iterable[Pulled]]) -> None:
        """Ask `read(object)` for its figures at each collection: one snapshot, all its figures."""
        self._read = read

    def undoes(self, undo: Callable[[Any], object]) -> None:
        """Call `undo(object)` on closing, where the object is alive, to take the instrumentation off it."""
        self._undo.append(undo)

    def close(self) -> None:
        """Remove this binding's series and take the instrumentation off; a second call does nothing."""
        self._subject.release(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Binding {self.path} {state}>"

    # --- for the subject

    def _figures(self, target: object) -> list[Pulled]:
        labels = self._identity
        return [(row, {**labels, **more}, value) for row, more, value in self._read(target)]

    def _let_go(self) -> None:
        self.closed = True
        for (parent, values), child in self._series.items():
            parent.discard(values, child)
        target = self.target
        for undo in self._undo if target is not None else ():
            undo(target)

    def _own(self, name: str, kind: type[M], labels: Mapping[str, str]) -> M:
        parent, values = self._subject.series(name, kind, {**self._identity, **labels})
        child = self._series.get((parent, values))
        if child is None:
            child = self._series.setdefault((parent, values), parent.replace(values))
        return cast(M, child)


class Subject(Collector):
    """The bound objects of one subject on one registry, and the families that they share."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self.name = self.collector_name = name
        self._rows = {row.name: row for row in SUBJECTS[name]}
        self._kit = Kit.of(registry)
        self._meters: dict[str, Meter] = {}
        self._bindings: dict[tuple[tuple[str, str], ...], Binding] = {}
        self._lock = freed_in_child(RLock())

    @classmethod
    def on(cls, registry: CollectorRegistry, name: str) -> "Subject":
        """The registry's collector of that subject, made and registered where it has none."""
        with _subjects_lock:
            subjects = _subjects.setdefault(registry, {})
            if name not in subjects:
                subject = cls(name, registry)
                registry.register(subject)
                subjects[name] = subject
            return subjects[name]

    def bind(self, target: object, **identity: str) -> Binding:
        """Bind an object under these label values, in the place of whatever was bound there.

        Raises BindingError where a label value is no text or is empty, and where the object is bound
        already: its library's hooks would count each event twice.
        """
        for label, value in identity.items():
            if not isinstance(value, str) or not value:
                raise BindingError(
                    f"the {label} of a {type(target).__qualname__} is {value!r}; give it a short name, as text"
                )
        key = tuple(identity.items())
        bound = _bound.get(id(target))
        if bound is not None and not bound.closed and bound.target is target:
            raise BindingError(f"{bound.path} is already bound; close its Binding first")
        with self._lock:
            earlier = self._bindings.get(key)
            if earlier is not None:
                self.release(earlier)
            self._bindings[key] = binding = Binding(self, identity, target)
        return binding

    def release(self, binding: Binding) -> None:
        """Forget a binding and remove its series."""
        with self._lock:
            if binding.closed:
                return
            if self._bindings.get(binding.key) is binding:
                del self._bindings[binding.key]
            binding._let_go()

    def series(self, name: str, kind: type[M], labels: Mapping[str, str]) -> tuple[M, tuple[str, ...]]:
        """The family's meter and the label values of one of its series."""
        row = self._row(name, labels)
        with self._lock:
            if name not in self._meters:
                self._meters[name] = meter(row, kind, on_fold=self._kit.folded)
            found = self._meters[name]
        if not isinstance(found, kind):
            raise BindingError(f"{name!r} is a {found.kind}, not a {kind.kind}; call binding.{found.kind} for it")
        return found, tuple([labels[label] for label in row.labels])

    def describe(self) -> Iterable[Metric]:
        return [family(row) for row in self._rows.values()]

    def collect(self) -> Iterable[Metric]:
        pulled = self._pull()
        with self._lock:
            meters = dict(self._meters)
        for row in self._rows.values():
            found = family(row)
            found.samples = pulled.get(row.name, [])
            if row.name in meters:
                found.samples = meters[row.name].samples() + found.samples
            if found.samples:
                yield found

    def _pull(self) -> dict[str, list[Sample]]:
        """One snapshot of every bound object; one that raises loses only its own figures."""
        samples: dict[str, list[Sample]] = {}
        with self._lock:
            bindings = list(self._bindings.values())
        for binding in bindings:
            target = binding.target
            if target is None:
                binding.close()
                continue
            try:
                for row, labels, value in binding._figures(target):
                    samples.setdefault(row.name, []).append(pulled_sample(row, labels, value))
                binding.failing = False
            except Exception:
                if not binding.failing:
                    _log.exception("%r raised; its pulled series are missing until it no longer does", binding)
                binding.failing = True
                self._kit.failed(binding.path)
        return samples

    def _row(self, name: str, labels: Mapping[str, str]) -> MetricSpec:
        row = self._rows.get(name)
        if row is None:
            raise BindingError(f"{name!r} is no metric of a {self.name}; it has {', '.join(self._rows)}")
        if set(labels) != set(row.labels):
            raise BindingError(f"{name!r} has the labels {row.labels}, not {tuple(labels)}")
        for label, values in row.values.items():
            if labels[label] not in values:
                raise BindingError(f"{name!r}: {label} is one of {', '.join(values)}, not {labels[label]!r}")
        return row


_bound: weakref.WeakValueDictionary[int, Binding] = weakref.WeakValueDictionary()
_subjects: weakref.WeakKeyDictionary[CollectorRegistry, dict[str, Subject]] = weakref.WeakKeyDictionary()
_subjects_lock = freed_in_child(RLock())


def _nothing(_target: object) -> Iterable[Pulled]:
    return ()


def _reference(target: object) -> Callable[[], Any]:
    try:
        return weakref.ref(target)
    except TypeError:  # an object with slots and no __weakref__: held until its binding closes
        return lambda: target
