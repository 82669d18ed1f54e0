"""A snapshot written to a file: behind its head, lines of JSON.

The first says whose figures these are. Each other line has rows of a family, and the rows are numbered through the
file. By what follows a file is brought up to date: rows that take the place of those of the same number, and another
line of the first form.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any

from manometer.meters.family import Family, Group, kind_of_reading
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading, Reading
from manometer.processes.file_head import Extent
from manometer.processes.snapshot import Process, Snapshot

__all__ = ["corrections", "encode", "head_of", "lines", "start"]

_MOST = 250  # rows in a line of a file: what is written or read in one go, while every other thread waits


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    families = chain.from_iterable(map(lines, snapshot.families))
    body = b"".join([start(snapshot.process, snapshot.includes), *families])
    return Extent().extended(body).head + body


def lines(family: Family) -> list[bytes]:
    """A family's part of a file; TypeError or ValueError where something in it is neither text nor a number."""
    return [
        _line([*family[:-1], [*head_of(group), _ROWS[_kind(family, group)](group.series[at : at + _MOST])]])
        for group in family.groups
        for at in range(0, len(group.series), _MOST)
    ]


def head_of(group: Group) -> tuple[object, ...]:
    """What the rows of a group have in common."""
    return group.merge_mode, group.labelnames, group.bounds, group.native_limit, group.suffix


def _kind(family: Family, group: Group) -> type[Reading]:
    return kind_of_reading(family.kind, group.suffix)


def _counter_rows(series: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [(values, total, created, exemplar) for values, (total, created, exemplar, _) in series]


def _gauge_rows(series: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [(values, *reading) for values, reading in series]


def _histogram_rows(series: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [
        (values, [*running], total, created, [*exemplars.items()] if exemplars else (), native)
        for values, (running, total, created, exemplars, native) in series
    ]


_ROWS: Mapping[type[Reading], Callable[[Sequence[tuple[Any, Any]]], list[Any]]] = {
    CounterReading: _counter_rows,
    GaugeReading: _gauge_rows,
    HistogramReading: _histogram_rows,
}


def start(process: Process, includes: Collection[str] = ()) -> bytes:
    """The line that says whose figures these are; of several, the last one counts."""
    return _line([process, list(includes)])


def corrections(kind: str, suffix: str | None, rows: Sequence[tuple[int, Any]]) -> list[bytes]:
    """Lines with other readings for rows of these numbers, in a group of that kind; None for no such row any more."""
    told: list[Any] = _ROWS[kind_of_reading(kind, suffix)]([row for row in rows if row[1] is not None])
    told += [(number,) for number, reading in rows if reading is None]
    return [_line([None, told[at : at + _MOST]]) for at in range(0, len(told), _MOST)]


def _line(content: Any) -> bytes:
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    return _json(content).encode(errors="replace") + b"\n"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
