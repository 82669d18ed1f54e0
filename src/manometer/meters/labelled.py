"""What the base of Counter, Gauge and Histogram does with label values: finds, makes and drops series by them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from manometer.errors import MetricError
from manometer.meters.children import Children
from manometer.meters.family import Values
from manometer.meters.fork import Forked, renewed_in_child
from manometer.meters.labels import check_values
from manometer.meters.last_read import LastRead

__all__ = ["Labelled"]

_NOT_GIVEN: object = object()

_OF_FAMILIES = frozenset({"_labelvalues", "_all", "_of_one", "_by_first", "_by_second", "_companion", "_lines"})


class Labelled(ABC):
    """A family of series by their label values; or one of these, which has no others."""

    kind: ClassVar[str]
    name: str
    labelnames: tuple[str, ...]
    _labelvalues: Values
    _shared: ClassVar[tuple[str, ...]] = ("name", "documentation", "unit", "labelnames", "_last_read")
    """What a child has from its family. Each kind names it; a subclass of one hands on all that it has."""
    _all: Children[Self]
    _last_read: LastRead
    _of_one: dict[str, Self]
    _by_first: dict[str, dict[str, Self]]
    _by_second: dict[str, dict[str, Self]]

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

    def expose(self, child: Self, *, past_cap: bool = False) -> Self:
        """Put a series that was made apart in the place of the one of its label values, and return it.

        Whoever holds the old one may go on writing to it; it is no longer exposed. The cap holds
        here too: past it, what comes back is the series `other`, and the one that was passed stays apart.
        past_cap: expose it all the same, because it has been written to.
        """
        return self._all.exposed(child._labelvalues, child, self._child, past_cap=past_cap)

    def discard(self, child: Self) -> None:
        """Drop that very series, unless another has taken its place or it is not exposed."""
        self._all.drop(child._labelvalues, only=child)

    # --- for who derives from it

    @abstractmethod
    def _start(self) -> None:
        """Begin the figures of a series from zero."""

    @abstractmethod
    def renew(self, forked: Forked = Forked.AT_ONCE) -> None:
        """Begin anew in a forked child."""

    def _has_children(self, children: Children[Self]) -> None:
        """Be a family, whose series these are; their lookup is one step away, for `labels`."""
        self._all, self._last_read, lookup = children, children.last_read, children.lookup
        self._of_one, self._by_first, self._by_second = lookup.of_one, lookup.by_first, lookup.by_second

    @property
    def _metrics(self) -> dict[Values, Self]:
        """The children by their label values: prometheus-client's name for them too."""
        return self._all.copy()

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
