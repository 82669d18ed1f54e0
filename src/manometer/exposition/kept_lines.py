"""The lines of series that nobody wrote to since the last scrape: they are kept, and not written again."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from manometer.meters.columns import Columns
from manometer.meters.family import Group, Series, Values

__all__ = ["KEPT_BYTES", "lines_of"]

KEPT_BYTES = 16 * 2**20
"""How much text is kept of one meter in one format. The lines of further series are written at each scrape."""

_FORMATS = 2  # in which the lines of a meter are kept: two scrapers may ask for different ones

Lines = tuple[str, str]
_Entry = tuple[int, bytes, bytes]
"""The version of the reading that the lines tell of, and the lines. The reading itself would live on with them."""


class _Kept:
    """The lines of one meter in one format. Any number of threads may use one; the size is then about right."""

    __slots__ = ("_size", "entries")

    def __init__(self) -> None:
        self.entries: dict[Values, _Entry] = {}
        self._size = 0

    def keep(self, values: Values, entry: _Entry) -> None:
        """Keep these lines, in the place of older ones of the same series, if there is room."""
        older = self.entries.pop(values, None)
        size = self._size + _size(entry) - (0 if older is None else _size(older))
        if size <= KEPT_BYTES:
            self.entries[values], self._size = entry, size
        elif older is not None:
            self._size -= _size(older)

    def forget_others(self, series: Sequence[Series]) -> None:
        """Drop the lines of series that are not among these."""
        entries = {values: entry for values, _ in series if (entry := self.entries.get(values)) is not None}
        self.entries, self._size = entries, sum(map(_size, entries.values()))


def lines_of(
    group: Group, form: Hashable, write: Callable[[Values, Any], Lines], behind: list[bytes]
) -> Iterator[bytes]:
    """What `write` makes of each series of the group: the first part. The second, if there is one, goes to `behind`.

    form: all that the lines depend on but for label values and readings. Where a series still has the very reading
    that it had when its lines were written, these are the kept ones.
    """
    series = group.series
    if group.lines is None or not isinstance(series, Columns) or series.versions is None:
        for values, reading in series:
            one, other = write(values, reading)
            yield one.encode()
            if other:
                behind.append(other.encode())
        return
    kept = _kept(group.lines, form)
    for values, reading, version in zip(series.values, series.readings, series.versions, strict=True):
        entry = kept.entries.get(values)
        if entry is None or entry[0] is not version:  # the very number, which its collection gave
            one, other = write(values, reading)
            entry = (version, one.encode(), other.encode())
            kept.keep(values, entry)
        yield entry[1]
        if entry[2]:
            behind.append(entry[2])
    if len(kept.entries) > len(series):
        kept.forget_others(series)


def _kept(forms: dict[Any, Any], form: Hashable) -> _Kept:
    kept: _Kept | None = forms.get(form)
    if kept is None:
        for older in [*forms][: 1 - _FORMATS]:  # a list by one C call, for another thread may make room, too
            forms.pop(older, None)
        kept = forms[form] = _Kept()
    return kept


def _size(entry: _Entry) -> int:
    return len(entry[1]) + len(entry[2])
