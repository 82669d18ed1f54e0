"""Series as a column of label values and one of readings, which costs no object for each at a collection."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from manometer.meters.family import Series, Values

__all__ = ["Columns", "columns"]


class Columns(Sequence[Series]):
    """Series in two lists. Nobody changes these: the next collection gives others.

    versions: of each series a number, by which its reader knows the reading without holding it; None where nobody
    keeps count. The readings of two collections are the same where their numbers are.
    """

    __slots__ = ("readings", "values", "versions")

    def __init__(self, values: list[Values], readings: list[Any], versions: list[int] | None = None) -> None:
        self.values, self.readings, self.versions = values, readings, versions

    def __len__(self) -> int:
        return len(self.readings)

    def __iter__(self) -> Iterator[Series]:
        return zip(self.values, self.readings, strict=True)

    @overload
    def __getitem__(self, at: int) -> Series: ...
    @overload
    def __getitem__(self, at: slice) -> list[Series]: ...
    def __getitem__(self, at: int | slice) -> Series | list[Series]:
        if isinstance(at, slice):
            return [*zip(self.values[at], self.readings[at], strict=True)]
        return self.values[at], self.readings[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]


def columns(series: Sequence[Series]) -> Columns:
    """The same series in that form."""
    if isinstance(series, Columns):
        return series
    return Columns([values for values, _ in series], [reading for _, reading in series])
