"""Label values and readings of many series, side by side, without an object for each pair."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from manometer.meters.family import Series, Values

__all__ = ["Paired"]


class Paired(Sequence[Series]):
    """A sequence of series from two lists of the same length.

    A hundred thousand tuples that live as long as a scrape would have the garbage collector look through the whole
    program amid it.
    """

    __slots__ = ("_labelvalues", "_readings")

    def __init__(self, labelvalues: list[Values], readings: list[Any]) -> None:
        self._labelvalues, self._readings = labelvalues, readings

    def __iter__(self) -> Iterator[Series]:
        return zip(self._labelvalues, self._readings, strict=True)

    def __len__(self) -> int:
        return len(self._readings)

    def __eq__(self, other: object) -> bool:
        return [*self] == [*other] if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, at: int) -> Series: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Series]: ...
    def __getitem__(self, at: int | slice) -> Series | Sequence[Series]:
        if isinstance(at, slice):
            return Paired(self._labelvalues[at], self._readings[at])
        return self._labelvalues[at], self._readings[at]
