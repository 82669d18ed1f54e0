"""The base of Counter, Gauge and Histogram: naming, registration, exposition."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.errors import MetricError
from manometer.meters.children import Children
from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.fork import Forked, renewed_in_child
from manometer.meters.labelled import Labelled
from manometer.meters.labels import SERIES_CAP, check_label_names, check_name, full_name
from manometer.meters.metric_view import MetricView
from manometer.meters.registration import Companion, register
from manometer.meters.write_buffer import WriteBuffer
from manometer.prometheus_internals import shows_creation_times

__all__ = ["Meter", "creation"]

R = TypeVar("R")


def creation(created: float) -> float | None:
    """The time to expose in a `_created` sample; None where prometheus-client's own switch has them off."""
    return created if shows_creation_times() else None


class _Alias:
    """Another name of an attribute, to read it by. A subclass is free to have an attribute of that name itself."""

    def __init__(self, of: str) -> None:
        self._of = of

    def __get__(self, meter: object, _: type | None = None) -> Any:
        return self if meter is None else getattr(meter, self._of)


class Meter(Labelled, Collector, Generic[R]):
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
            self._has_children(Children(self.name, max_series, on_fold, kind_of_reading(self.kind, None).added_up))
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

    # --- what a kind of meter fills in, besides `_start`

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

    def _need_series(self) -> None:
        if self.labelnames and not self._labelvalues:
            raise MetricError(f"{self.kind} metric is missing label values")
