"""The base of Counter, Gauge and Histogram: naming, registration, label values, exposition."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.errors import MetricError
from manometer.meters.children import Children
from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.fork import Forked, renewed_in_child
from manometer.meters.labels import SERIES_CAP, check_label_names, check_name, check_values, full_name
from manometer.meters.metric_view import MetricView
from manometer.meters.registration import Companion, register
from manometer.meters.write_buffer import WriteBuffer
from manometer.prometheus_internals import shows_creation_times

__all__ = ["Meter", "creation"]

R = TypeVar("R")

_NOT_GIVEN: object = object()

_OF_FAMILIES = frozenset({"_labelvalues", "_all", "_of_one", "_by_first", "_by_second", "_companion", "_lines"})


def creation(created: float) -> float | None:
    """The time to expose in a `_created` sample; None where prometheus-client's own switch has them off."""
    return created if shows_creation_times() else None


class _Alias:
    """Another name of an attribute, to read it by. A subclass is free to have an attribute of that name itself."""

    def __init__(self, of: str) -> None:
        self._of = of

    def __get__(self, meter: object, _: type | None = None) -> Any:
        return self if meter is None else getattr(meter, self._of)


class Meter(Collector, ABC, Generic[R]):
    """A family of series; with no label names, or as the child of a labelled one, a series itself.

    The interface is prometheus-client's: the same arguments, the same errors. `max_series` caps the
    children: past it, a new set of label values goes to the child whose values are all `other`, and
    `on_fold` hears of it; by default the registry counts it in `manometer_label_folds_total`.
    """

    kind: ClassVar[str]
    pending: WriteBuffer[Any]
    _is_restless: bool = False
    """Whether a series may change with no sign of it, so that every collection has to read it."""
    bound_labels: tuple[str, ...] = ()
    _adds_up: ClassVar[bool] = True
    _reserved: ClassVar[frozenset[str]] = frozenset()
    _shared: ClassVar[tuple[str, ...]] = ("name", "documentation", "unit", "labelnames", "_last_read")
    """What a child has from its family. Each kind names it; a subclass of one hands on all that it has."""

    # By these prometheus-client's meters are known to programs that walk a registry, documented or not.
    _name, _documentation, _labelnames = _Alias("name"), _Alias("documentation"), _Alias("labelnames")
    _type, _unit = _Alias("kind"), _Alias("unit")

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        *,
        max_series: int = SERIES_CAP,
        on_fold: Callable[[str], None] | None = None,
    ) -> None:
        self.name = check_name(full_name(self.kind, name, namespace, subsystem, unit))
        # prometheus-client takes anything for these two, such as None, or a text that is translated later.
        self.documentation = str(documentation)
        self.unit = unit or ""
        self.labelnames = check_label_names(self.name, labelnames, self._reserved)
        self._labelvalues: Values = ()
        self._companion: Companion | None = None
        self._lines: dict[Any, Any] = {}
        if self.labelnames:
            self._all: Children[Self] = Children(
                self.name, max_series, on_fold, kind_of_reading(self.kind, None).added_up
            )
            self._last_read, lookup = self._all.last_read, self._all.lookup
            self._of_one, self._by_first, self._by_second = lookup.of_one, lookup.by_first, lookup.by_second
        else:
            self._start()
        if registry is not None:
            register(registry, self, f"metric {self.name!r}", self.joins)
        renewed_in_child(self)

    def joins(self, companion: Companion) -> None:
        """Be one of the families of the companion's registry."""
        self._companion = companion
        if self.labelnames:
            self._all.join(companion, add_up=self._adds_up)

    def labels(
        self, first: object = _NOT_GIVEN, second: object = _NOT_GIVEN, /, *further: object, **labelkwargs: object
    ) -> Self:
        """Return the series of these label values, by position or by name, made where it is new.

        Raises MetricError (a ValueError) where the labels are not the family's.
        """
        # Programs call this for every event. So where the series is there, it makes as few calls as it can:
        # f"{x!s}" is str(x).
        if labelkwargs:
            if len(labelkwargs) > 2 or first is not _NOT_GIVEN:
                return self._of_several(self._ordered(labelkwargs, first is not _NOT_GIVEN))
            first, second = self._pair(labelkwargs)
        one = f"{first!s}"
        if second is _NOT_GIVEN:
            try:
                return self._of_one[one]
            except (KeyError, AttributeError):  # a series has no children
                return self._made((one,) if first is not _NOT_GIVEN else ())
        two = f"{second!s}"
        if further:
            return self._of_several((one, two, *map(str, further)))
        try:
            by_first = self._by_first
            return by_first[one][two] if by_first else self._by_second[two][one]
        except (KeyError, AttributeError):
            return self._made((one, two))

    def remove(self, *labelvalues: object) -> None:
        """Drop the series of these label values, if it is there."""
        values = self._checked(tuple(map(str, labelvalues)))
        self._all.drop(values)

    def remove_by_labels(self, labels: Mapping[str, object]) -> None:
        """Drop every series that has these values of these labels; none for an empty mapping."""
        self._need_family()
        if not isinstance(labels, Mapping):
            raise TypeError("labels must be a dict of {label_name: label_value}")
        unknown = [label for label in labels if label not in self.labelnames]
        if unknown:
            raise MetricError(f"Unknown label names: {unknown}; expected {self.labelnames}")
        wanted = [(self.labelnames.index(label), str(value)) for label, value in labels.items()]
        if wanted:
            self._all.drop_where(lambda values: all(values[at] == value for at, value in wanted))

    def clear(self) -> None:
        """Drop every labelled series."""
        if self.labelnames and not self._labelvalues:
            self._all.drop_where(lambda _: True)

    def apart(self, values: Values) -> Self:
        """A new series of these label values that can be written to, and is not exposed before `expose`."""
        return renewed_in_child(self._child(values))

    def expose(self, child: Self) -> Self:
        """Put a series that was made apart in the place of the one of its label values, and return it.

        Whoever holds the old one may go on writing to it; it is no longer exposed. The cap holds
        here too: past it, what comes back is the series `other`, and the one that was passed stays apart.
        """
        return self._all.exposed(child._labelvalues, child, self._child)

    def discard(self, child: Self) -> None:
        """Drop that very series, unless another has taken its place or it is not exposed."""
        self._all.drop(child._labelvalues, only=child)

    def describe(self) -> Iterable[Metric]:
        """The family without samples: what a registry reads its names from."""
        return [Metric(self.name, self.documentation, self.kind, self.unit)]

    def collect(self) -> Iterable[Metric]:
        """The family with all its series, each read at one moment."""
        return [MetricView(self.family())]

    def family(self, pulled: Sequence[Series] = ()) -> Family:
        """The family in the form in which it travels, with series of it that were pulled."""
        groups = [self._group()]
        if pulled:
            groups.append(Group(self.labelnames, pulled))
        return Family(self.name, self.kind, self.documentation, self.unit, groups)

    def read(self) -> Sequence[Series]:
        """Every series, children in the order in which they came.

        A series that nobody wrote to gives the very reading that it gave last, so `reading is last` says that it
        stays as it was.
        """
        return self._group().series

    def renew(self, forked: Forked = Forked.AT_ONCE) -> None:
        """Begin every series from zero, as a forked child does; whoever holds one goes on writing to it.

        Where figures of the child are among those of its parent, they stay, and only the locks are free.
        """
        single = not self.labelnames or self._labelvalues
        if not single:
            self._all.forget(ended=forked is Forked.AT_ONCE)
        for series in [self] if single else list(self._all.by_values.values()):
            if forked is Forked.AT_ONCE:
                series._renew()
            else:
                series.pending.free()

    @property
    def max_native_buckets(self) -> int:
        """How many exponential buckets a series may fill; 0 where it has none."""
        return 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__qualname__}({self.name})"

    # --- what a kind of meter fills in

    @abstractmethod
    def _start(self) -> None:
        """Begin the figures of a series from zero."""

    @abstractmethod
    def _renew(self) -> None:
        """Begin the figures of a series anew, in a child that was forked while other threads wrote to it."""

    @abstractmethod
    def _read(self, reader: object = None) -> R:
        """The figures of a series at this moment: the last reading itself where nothing was written since.

        reader: see `LastRead.note`.
        """

    # --- for the kinds

    def _group(self) -> Group:
        if self._labelvalues:  # a child that is read on its own shows no labels
            return Group((), [((), self._read())], self.bound_labels, self.max_native_buckets)
        group = Group((), (), self.bound_labels, self.max_native_buckets, lines=self._lines)
        is_kept = self._adds_up and self._companion is not None and self._companion.keeps_ended
        source = self if is_kept else None
        if not self.labelnames:
            return group._replace(series=[((), self._read())], source=source)
        read, ended = self._all.now(creation(0.0))
        return group._replace(
            labelnames=self.labelnames,
            series=read(),
            source=source,
            ended=() if source is None else ended(),
        )

    @property
    def _chunk(self) -> Iterator[bool] | None:
        """What the writes to a series shorten that leave no event; None where every write leaves one."""
        return None

    def _note(self, reader: object = None) -> None:
        """Tell the family, where this series is one of several, that it may have changed; see `LastRead.note`."""
        if self._labelvalues:
            self._last_read.note(self, reader)

    @property
    def _metrics(self) -> dict[Values, Self]:
        """The children by their label values: prometheus-client's name for them too."""
        return self._all.copy()

    def _need_series(self) -> None:
        if self.labelnames and not self._labelvalues:
            raise MetricError(f"{self.kind} metric is missing label values")

    def _need_family(self) -> None:
        if not self.labelnames:
            raise MetricError(f"No label names were set when constructing {self}")
        if self._labelvalues:
            labels = dict(zip(self.labelnames, self._labelvalues, strict=True))
            raise MetricError(f"{self} already has labels set ({labels}); can not chain calls to .labels()")

    def _checked(self, values: Values) -> Values:
        """The label values, where there are as many as there are label names."""
        self._need_family()
        if len(values) != len(self.labelnames):
            wanted = len(self.labelnames)
            raise MetricError(f"{self}: Incorrect label count (expected {wanted}, got {len(values)})")
        return values

    def _pair(self, labelkwargs: Mapping[str, object]) -> tuple[object, object]:
        """One or two label values that were given by name, as they would be given by position."""
        names = self.labelnames
        if len(names) == len(labelkwargs):
            try:
                return labelkwargs[names[0]], labelkwargs[names[1]] if len(names) == 2 else _NOT_GIVEN
            except KeyError:
                pass
        raise self._misnamed(labelkwargs)

    def _ordered(self, labelkwargs: Mapping[str, object], is_mixed: bool) -> Values:
        """Label values that were given by name, in the order of the label names; is_mixed: by position too."""
        names, values = self.labelnames, []
        if len(names) == len(labelkwargs) and not is_mixed:
            for name in names:  # at half the price of a comprehension's call
                if name not in labelkwargs:
                    break
                values.append(f"{labelkwargs[name]!s}")
            else:
                return tuple(values)
        raise self._misnamed(labelkwargs, is_mixed)

    def _misnamed(self, labelkwargs: Mapping[str, object], is_mixed: bool = False) -> MetricError:
        """What is wrong with label values that were given by name; is_mixed: by position too."""
        self._need_family()
        if is_mixed:
            return MetricError("Can't pass both *args and **kwargs")
        expected, got = sorted(self.labelnames), sorted(labelkwargs)
        return MetricError(f"{self}: Incorrect label names (expected {expected}, got {got})")

    def _of_several(self, values: Values) -> Self:
        """The series of more than two label values."""
        try:
            return self._all.by_values[values]
        except (KeyError, AttributeError):
            return self._made(values)

    def _made(self, values: Values) -> Self:
        """The series of label values that are new, or that are not the family's."""
        checked = self._checked(values)
        return self._all.admitted(checked, self._child)

    def _child(self, values: Values) -> Self:
        check_values(self.name, values)
        child = object.__new__(type(self))
        # One by one, so that a child has no dictionary of its own. To ask for the family's gives it one,
        # and makes every `labels` slower.
        for name in vars(type(self)).get("_shared") or vars(self).keys() - _OF_FAMILIES:
            setattr(child, name, getattr(self, name))
        child._labelvalues = values
        child._start()
        return child
