"""What a piece of advice is, as data."""

from dataclasses import dataclass

from manometer.catalogue import label

__all__ = ["Advice"]


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice.

    name: of its alert. of: the attributes and labels that tell apart what it is about.
    judged: an expression that has a series for each thing of which enough is known; expr: one that has a series for
    each that should change, its value the gain to expect. size: one with the figure to set, where there is one.
    found, gain, change: texts with labels in braces. `gain` follows the value, which is in seconds where the unit is
    `s`, and else a count.
    """

    name: str
    of: tuple[str, ...]
    judged: str
    expr: str
    unit: str
    fires: str
    found: str
    gain: str
    change: str
    size: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its series."""
        return tuple(map(label, self.of))
