"""What is particular to one run of a stage: how many items it goes through, and attributes of its span alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from manometer.errors import MetricError
from manometer.instrumentation.engine.series import StageSeries
from manometer.instrumentation.engine.told_by_run import ToldByRun
from manometer.meters.outages import Outages

__all__ = ["NONE", "Attributes", "Items", "Particulars"]

Items = int | Callable[..., int] | None
Attributes = Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None

_outages = Outages(are_shared=True)


@dataclass(frozen=True, slots=True)
class Particulars:
    """The values, or functions that make them of the arguments of a call.

    Raises MetricError where they are neither.
    """

    items: Items = None
    attributes: Attributes = None

    def __post_init__(self) -> None:
        items, attributes = self.items, self.attributes
        if not (items is None or callable(items) or (isinstance(items, int) and items >= 0)):
            raise MetricError(f"the items of a stage are {items!r}; give a number, or a function of the arguments")
        if not (attributes is None or callable(attributes) or isinstance(attributes, Mapping)):
            raise MetricError(
                f"the attributes of a stage are {attributes!r}; give a dictionary, or a function of the arguments"
            )

    @property
    def are_of_calls(self) -> bool:
        """Whether there are arguments needed to know them."""
        return callable(self.items) or callable(self.attributes)

    def of_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> "Particulars":
        """Those of a call. None where the program's function fails, which is logged: the call goes on."""
        try:
            items = self.items(*args, **kwargs) if callable(self.items) else self.items
            attributes = self.attributes(*args, **kwargs) if callable(self.attributes) else self.attributes
            return Particulars(items, attributes)
        except Exception:
            _outages.failed("of call", "the items and attributes of calls cannot be told; their runs go without")
            return NONE

    def told(self, series: StageSeries) -> ToldByRun | None:
        """What the span of the run tells; None where it is as of every run."""
        items = {} if self.items is None else {"engine.stage.items": self.items}
        attributes = self.attributes if isinstance(self.attributes, Mapping) else {}
        return ToldByRun(series, {**attributes, **items, **series.attributes}) if items or attributes else None


NONE = Particulars()
