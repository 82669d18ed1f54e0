"""Binding: the tie between one object and its series, and what collects the bound ones of a subject."""

import logging
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from threading import RLock
from typing import Any, Self, TypeVar, cast

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import SUBJECTS, MetricSpec
from manometer.errors import BindingError
from manometer.meters import Counter, Gauge, Histogram, Meter
from manometer.meters.family import Series
from manometer.meters.fork import freed_in_child, notice
from manometer.meters.labels import OTHER, SERIES_CAP
from manometer.meters.metric_view import MetricView
from manometer.meters.registration import register
from manometer.registry.catalogued import Pulled, described, family, meter, series
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["Binding", "Subject"]

M = TypeVar("M", bound=Meter[Any])

_READING = "the reading of"
_CLOSED = frozenset({"kind"})  # labels of an identity whose values are a closed set

_log = logging.getLogger("manometer")


class Binding:
    """Owns the series of one instrumented object; `close()` removes exactly those.

    An instrumentation makes one and hands the object back; `Binding.of(object)` finds it again.
    It holds the object weakly where it can: when the object dies, its series go with the next
    collection or binding. Binding a second object under the name replaces the first.
    """

    def __init__(
        self, subject: "Subject", identity: Mapping[str, str], target: object, owned: object, *, folds: bool
    ) -> None:
        self._subject = subject
        self._identity = dict(identity)
        self._folds = folds
        self._target, self._owned = _reference(target, self), _reference(owned)
        self._series: dict[tuple[Meter[Any], tuple[str, ...]], Meter[Any]] = {}
        self._read: Callable[[Any], Iterable[Pulled]] = _nothing
        self._undo: list[Callable[[Any], object]] = []
        self.closed = False

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
        notice()
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

    def _owns(self, thing: object) -> bool:
        return not self.closed and self.target is not None and self._owned() is thing

    def _let_go(self) -> None:
        self.closed = True
        for (parent, values), child in self._series.items():
            parent.discard(values, child)
        target = self.target
        for undo in self._undo if target is not None else ():
            try:
                undo(target)
            except Exception:
                _log.exception("%r could not be taken off in full; what is left of it counts nothing", self)

    def _own(self, name: str, kind: type[M], labels: Mapping[str, str]) -> M:
        parent, values = self._subject.series(name, kind, {**self._identity, **labels})
        with self._subject.lock:
            found = self._series.get((parent, values))
            if found is not None:
                return cast(M, found)
            if self.closed:
                raise BindingError(f"the Binding of {self.path} is closed; instrument the object again")
            if self._folds:  # what is folded belongs to all
                return parent.labels(*values)
            child = parent.replace(values)
            if not parent.is_folded(child, values):
                self._series[parent, values] = child
            return child


class Subject(Collector):
    """The bound objects of one subject on one registry, and the families that they share."""

    def __init__(self, name: str, registry: CollectorRegistry) -> None:
        self.name = self.collector_name = name
        self._rows = {row.name: row for row in SUBJECTS[name]}
        self._self_metrics = SelfMetrics.of(registry)
        self._meters: dict[str, Meter[Any]] = {}
        self._bindings: dict[tuple[tuple[str, str], ...], Binding] = {}
        self._folded: set[Binding] = set()
        self.dead: deque[_Target] = deque()
        """References to objects that died, whose bindings are still to be released; a finalizer appends to it."""
        self.lock = freed_in_child(RLock())

    @classmethod
    def on(cls, registry: CollectorRegistry, name: str) -> "Subject":
        """The registry's collector of that subject, made and registered where it has none."""
        found = _subjects.get(registry, _NONE).get(name)
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

    @contextmanager
    def binding(self, target: object, *, owned: object = None, **identity: str) -> Iterator[Binding]:
        """A new Binding of the object under these label values, to be set up within the block.

        With the end of the block it takes the place of whatever was bound there: no collection finds
        neither. Where the block raises, all that it has done is undone.
        owned: what the set-up changes, where that is not the object itself.
        Raises BindingError where a label value is no text or is empty, and where what is owned is bound
        already: its library's hooks would count each event twice. Raises BindingError too where there are no label
        values, and the subject has such a binding: the program would not see that it lost the first one.
        """
        _check_identity(identity, target)
        owned = target if owned is None else owned
        notice()
        with self.lock:
            self._release_dead()
            holder = _owners.get(id(owned))
            if holder is not None and holder._owns(owned):
                raise BindingError(f"{holder.path} is already bound; close its Binding first")
            if not identity and () in self._bindings:
                raise BindingError(
                    f"the {self.name} is already bound on this registry; "
                    "close its Binding first, or the Manometer that was started on the registry"
                )
            folds = len(self._bindings) >= SERIES_CAP and tuple(identity.items()) not in self._bindings
            if folds:
                identity = {label: value if label in _CLOSED else OTHER for label, value in identity.items()}
                self._self_metrics.folded(self.name)
            binding = Binding(self, identity, target, owned, folds=folds)
            _owners[id(owned)] = _bound[id(target)] = binding
        try:
            yield binding
        except BaseException:
            binding._let_go()
            raise
        with self.lock:
            if folds:  # one set of labels can show one object's state, so those past the cap show none
                self._folded.add(binding)
                return
            earlier = self._bindings.get(binding.key)
            self._bindings[binding.key] = binding
            if earlier is not None:
                earlier._let_go()

    def release(self, binding: Binding) -> None:
        """Forget a binding and remove its series."""
        with self.lock:
            if binding.closed:
                return
            if self._bindings.get(binding.key) is binding:
                del self._bindings[binding.key]
            self._folded.discard(binding)
            self._self_metrics.gone(binding.path, _READING)
            binding._let_go()

    def _release_dead(self) -> None:
        """Remove the series of the objects that died, and make room for others under the cap."""
        while self.dead:
            self.release(self.dead.popleft().binding)

    def series(self, name: str, kind: type[M], labels: Mapping[str, str]) -> tuple[M, tuple[str, ...]]:
        """The family's meter and the label values of one of its series."""
        row = self._row(name, labels)
        with self.lock:
            if name not in self._meters:
                self._meters[name] = meter(row, kind, max_series=_room(row))
                self._meters[name].joins(self._self_metrics)
            found = self._meters[name]
        if not isinstance(found, kind):
            raise BindingError(f"{name!r} is a {found.kind}, not a {kind.kind}; call binding.{found.kind} for it")
        return found, tuple([labels[label] for label in row.labels])

    def describe(self) -> Iterable[Metric]:
        return described(self._rows.values())

    def collect(self) -> Iterable[Metric]:
        pulled = self._pull()
        with self.lock:
            meters = dict(self._meters)
        for row in self._rows.values():
            told = pulled.get(row.name, [])
            found = meters[row.name].family(told) if row.name in meters else family(row, told)
            if any(group.series or group.ended for group in found.groups):
                yield MetricView(found)

    def _pull(self) -> dict[str, list[Series]]:
        """One snapshot of every bound object; one that raises loses only its own figures."""
        found: dict[str, list[Series]] = {}
        with self.lock:
            self._release_dead()
            bindings = list(self._bindings.values())
        for binding in bindings:
            target = binding.target
            if target is None:  # it has died since
                continue
            try:
                for row, labels, value in binding._figures(target):
                    found.setdefault(row.name, []).append(series(row, labels, value))
            except Exception:
                self._self_metrics.failed(binding.path, _READING)
            else:
                self._self_metrics.worked(binding.path, _READING)
        return found

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
_owners: weakref.WeakValueDictionary[int, Binding] = weakref.WeakValueDictionary()
_NONE: dict[str, Subject] = {}
_subjects: weakref.WeakKeyDictionary[CollectorRegistry, dict[str, Subject]] = weakref.WeakKeyDictionary()
_subjects_lock = freed_in_child(RLock())


def _room(row: MetricSpec) -> int:
    """The cap of a family in which each object under the subject's cap, and `other`, has all its series."""
    return (SERIES_CAP + 1) * prod(len(values) for values in row.values.values())


def _check_identity(identity: Mapping[str, str], target: object) -> None:
    for label, value in identity.items():
        if not isinstance(value, str) or not value:
            raise BindingError(
                f"the {label} of a {type(target).__qualname__} is {value!r}; give it a short name, as text"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BindingError(f"the {label} {value!r} is no text that UTF-8 can write; give another") from None


def _nothing(_target: object) -> Iterable[Pulled]:
    return ()


class _Target(weakref.ref[Any]):
    """A reference to a bound object, and the binding."""

    __slots__ = ("binding",)
    binding: Binding


def _reference(target: object, binding: Binding | None = None) -> Callable[[], Any]:
    """What returns the object, or None when it is gone; the binding is then put among the dead."""
    try:
        if binding is None:
            return weakref.ref(target)
        # The callback is a single C call, which no lock and no other thread can hold up: a finalizer runs it.
        found = _Target(target, binding._subject.dead.append)
    except TypeError:  # an object with slots and no __weakref__: held until its binding closes
        return lambda: target
    found.binding = binding
    return found
