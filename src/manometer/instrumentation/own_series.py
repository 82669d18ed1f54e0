"""The series in which the events of one object are counted."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from manometer.catalogue import MetricSpec
from manometer.errors import BindingError
from manometer.instrumentation.identity import Identity
from manometer.instrumentation.subject_meters import SubjectMeters
from manometer.meters import Meter

__all__ = ["OwnSeries"]

M = TypeVar("M", bound=Meter[Any])


class OwnSeries:
    """Makes the object's series in the meters of its subject, and drops exactly these.

    They are in no collection before `expose`, so that a set-up that fails leaves those of an earlier object there.
    folds: whether the object is past the cap. It then shares the series of all that are.
    """

    def __init__(self, meters: SubjectMeters, identity: Identity, *, folds: bool) -> None:
        self.identity, self.folds = dict(identity), folds
        self.path = "/".join((meters.subject, *self.identity.values()))
        """The subject and the values of the identity, for messages: `pool/orders/connection`."""
        self.dropped = self._exposed = False
        self._meters = meters
        self._series: dict[tuple[Meter[Any], tuple[str, ...]], Meter[Any]] = {}

    def of(self, metric: MetricSpec | str, kind: type[M], attributes: Mapping[str, str]) -> M:
        """The series of that metric, made where it is new; attributes: those beyond the identity.

        Raises BindingError where the series were dropped, and where the subject has no such metric.
        """
        name = metric if isinstance(metric, str) else metric.name
        parent, values = self._meters.of(name, kind, {**self.identity, **attributes})
        with self._meters.lock:
            found = self._series.get((parent, values))
            if found is not None:
                return cast(M, found)
            if self.dropped:
                raise BindingError(f"the Binding of {self.path} is closed; instrument the object again")
            if self.folds:  # what is folded belongs to all
                return parent.labels(*values)
            own = parent.apart(values)
            exposed = parent.expose(own) if self._exposed else own
            if exposed is own:  # and not the shared one past the family's cap
                self._series[parent, values] = own
            return exposed

    def expose(self) -> None:
        """Show the series in the place of those of the same labels, and from now on each as it is made.

        Several objects that are set up at once may be one too many for the cap. They have been written to by then.
        """
        with self._meters.lock:
            self._exposed = True
            for parent, values in [*self._series]:  # a handler amid this may make another
                parent.expose(self._series[parent, values], past_cap=True)

    def drop(self) -> None:
        """Take the series off their meters."""
        self.dropped = True
        for parent, values in [*self._series]:
            parent.discard(self._series[parent, values])

    @property
    def are_unused(self) -> bool:
        """Whether nothing has been counted, as far as these can tell."""
        events = [reading.events for child in [*self._series.values()] for _, reading in child.read()]
        return bool(events) and not any(events)
