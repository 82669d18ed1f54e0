"""The form of a snapshot in a file: behind its head, lines of JSON.

The first says whose figures these are. Each other line has series of a family, column by column, and the series are
numbered through the file. By what follows a file is brought up to date: other readings for series of these numbers,
and another line of the first form.

Whatever is in a file, what comes out of it can be added up: it is read as strictly as if it came from a stranger.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from math import isfinite, isnan
from typing import Any, TypeVar, get_args

from prometheus_client.metrics_core import METRIC_TYPES
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.gauge import MultiprocessMode
from manometer.meters.readings import NO_EXEMPLARS, CounterReading, GaugeReading, HistogramReading, Reading
from manometer.processes.file_head import Extent, UnreadableError, counted
from manometer.processes.snapshot import Process, Snapshot

__all__ = ["check", "corrections", "decode", "encode", "head_of", "lines", "start"]

_MOST = 250  # series in a line of a file: what is written or read in one go, while every other thread waits

T = TypeVar("T")
Readings = Iterable[Reading]


# --- writing


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    families = chain.from_iterable(map(lines, snapshot.families))
    body = b"".join([start(snapshot.process, snapshot.includes), *families])
    return Extent().extended(body).head + body


def lines(family: Family) -> list[bytes]:
    """A family's part of a file; TypeError or ValueError where something in it is neither text nor a number."""
    return [
        _line([*family[:-1], [*head_of(group), *_columns(group.series[at : at + _MOST])]])
        for group in family.groups
        for at in range(0, len(group.series), _MOST)
    ]


def head_of(group: Group) -> tuple[object, ...]:
    """What the series of a group have in common."""
    return group.merge_mode, group.labelnames, group.bounds, group.native_limit, group.suffix


def _columns(series: Sequence[tuple[Any, Any]]) -> list[Any]:
    """What tells the series apart, and each field of their readings; null where no reading has the field."""
    told, readings = zip(*series, strict=True)
    fields = [
        list(column) if any(each is not None for each in column) else None for column in zip(*readings, strict=True)
    ]
    if isinstance(readings[0], CounterReading):
        del fields[_BEFORE]  # which is in the totals here
    elif isinstance(readings[0], HistogramReading):
        fields[_RUNNING] = [[*reading.running] for reading in readings]
        exemplars = [reading.exemplars for reading in readings]
        fields[_EXEMPLARS] = [[*each.items()] for each in exemplars] if any(exemplars) else None
    return [told, fields]


def check(family: Family) -> None:
    """Raise where a reader would refuse the family: another kit's collector may say anything.

    This looks at the first series of each group, and at each that has an exemplar or exponential buckets. The code
    that makes the readings has checked the others.
    """
    doubtful = [
        group._replace(series=[*group.series[:1], *filter(_is_doubtful, group.series[1:])]) for group in family.groups
    ]
    for line in lines(family._replace(groups=doubtful)):
        _family(*json.loads(line))


def _is_doubtful(series: Series) -> bool:
    match series[1]:
        case CounterReading(exemplar=exemplar):
            return exemplar is not None
        case HistogramReading(exemplars=exemplars, native=native):
            return bool(exemplars) or native is not None
    return False


def start(process: Process, includes: Collection[str] = ()) -> bytes:
    """The line that says whose figures these are; of several, the last one counts."""
    return _line([process, list(includes)])


def corrections(readings: Sequence[tuple[int, Any]]) -> list[bytes]:
    """Lines with other readings, of one class, for series of these numbers; None for no such series any more."""
    told = [each for each in readings if each[1] is not None]
    gone = [number for number, reading in readings if reading is None]
    found = [_line([None, *_columns(told[at : at + _MOST])]) for at in range(0, len(told), _MOST)]
    return [*found, _line([None, gone, None])] if gone else found


def _line(content: Any) -> bytes:
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    return _json(content).encode(errors="replace") + b"\n"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# --- reading


def decode(data: bytes) -> Snapshot:
    """The snapshot of a file; UnreadableError, or AlienError, where it holds none."""
    body = counted(data)
    try:
        first, *found = map(json.loads, body.decode().removesuffix("\n").split("\n"))
        (process, includes), families = _up_to_date(first, found)
        return Snapshot(_process(*process), [_family(*each) for each in families], includes=_texts(includes))
    except Exception as error:  # of whatever class nonsense leads to, too deep a nesting among them
        raise UnreadableError(f"it makes no sense ({type(error).__name__}: {error})") from None


def _up_to_date(first: Any, lines: Iterable[Any]) -> tuple[Any, list[Any]]:
    """The line that says whose these are, and those of families, each series as it was told last, if at all."""
    families: list[Any] = []
    latest: dict[int, Any] = {}
    for line in lines:
        match line:
            case [None, numbers, None]:
                latest |= dict.fromkeys(numbers)
            case [None, numbers, fields]:
                columns = [_column(field, len(numbers)) for field in fields]
                latest |= zip(numbers, zip(*columns, strict=True), strict=True)
            case [list(), _]:
                first = line
            case _:
                families.append(line)
    return first, _corrected(families, latest) if latest else families


def _corrected(families: list[Any], latest: dict[int, Any]) -> list[Any]:
    starts = [*accumulate([len(family[-1][_VALUES]) for family in families], initial=0)]
    if {*map(type, latest)} != {int} or min(latest) < 0 or max(latest) >= starts[-1]:
        raise ValueError("a series of no number")
    gone: dict[int, set[int]] = {}
    for number, figures in latest.items():
        at = bisect_right(starts, number) - 1
        place, columns = number - starts[at], families[at][-1][_FIELDS]
        if figures is None:
            gone.setdefault(at, set()).add(place)
            continue
        for field, figure in enumerate(figures):
            if columns[field] is None and figure is not None:
                columns[field] = [None] * (starts[at + 1] - starts[at])
            if columns[field] is not None:
                columns[field][place] = figure
        if len(figures) != len(columns):
            raise ValueError("figures of another kind")
    for at, places in gone.items():
        group = families[at][-1]
        group[_VALUES], *group[_FIELDS] = [
            None if column is None else [each for place, each in enumerate(column) if place not in places]
            for column in (group[_VALUES], *group[_FIELDS])
        ]
    return [family for family in families if family[-1][_VALUES]]


def _process(pid: object, interpreter: object, parent: object, only_forks: object) -> Process:
    return Process(_of(int, pid), _of(int, interpreter), _text(parent), _of(bool, only_forks))


def _family(name: object, kind: object, documentation: object, unit: object, group: Any) -> Family:
    texts = _text(name), _text(kind), _text(documentation), _text(unit)
    mode, names, bounds, limit, suffix, values, fields = _of(list, group)
    labelnames = tuple(_texts(names))
    if not name or kind not in METRIC_TYPES or mode not in _MODES or len(set(labelnames)) < len(labelnames):
        raise ValueError("a family of no name, kind or mode, or two labels of one name")
    if suffix is not None and _text(suffix) and suffix[0] != "_":
        raise ValueError("a sample of another family")
    kind_of = kind_of_reading(texts[1], suffix)
    if any(isnan(float(bound)) for bound in _texts(bounds)) or (bounds and kind_of is not HistogramReading):
        raise ValueError("a bucket without a bound, or of no histogram")
    if _of(int, limit) < 0:
        raise ValueError("buckets of no known width")
    head = Group(labelnames, (), tuple(bounds), limit, suffix, mode)
    series = _labelvalues(values, labelnames)
    columns = [_column(field, len(series)) for field in _of(list, fields)]
    readings = _READERS[kind_of](head, *columns)
    return Family(*texts, [head._replace(series=[*zip(series, readings, strict=True)])])


def _labelvalues(values: Any, names: Values) -> list[Values]:
    if set(map(type, _of(list, values))) != {list} or set(map(len, values)) != {len(names)}:
        raise ValueError("series of other labels")
    _texts([*chain.from_iterable(values)])
    return [*map(tuple, values)]


def _column(field: Any, series: int) -> list[Any]:
    """A field of so many readings."""
    if field is None:
        return [None] * series
    if len(_of(list, field)) != series:
        raise ValueError("figures of other series")
    return field  # type: ignore[no-any-return]


def _counters(_: Group, totals: list[Any], created: list[Any], exemplars: list[Any]) -> Readings:
    told = [None if each is None else _exemplar(*each) for each in exemplars]
    return map(CounterReading, map(_number, totals), _beginnings(created), told)


def _gauges(_: Group, values: list[Any], set_at: list[Any]) -> Readings:
    times = [None if each is None else float(_finite(each)) for each in set_at]
    return map(GaugeReading, map(_number, values), times)


def _histograms(
    group: Group, running: list[Any], totals: list[Any], created: list[Any], exemplars: list[Any], native: list[Any]
) -> Readings:
    places = len(group.bounds)
    return map(
        HistogramReading,
        _counts(running, places),
        _optional(totals),
        _beginnings(created),
        [_exemplars(each, places) if each else NO_EXEMPLARS for each in exemplars],
        [None if each is None else _native(each, group.native_limit) for each in native],
    )


_READERS: Mapping[type[Reading], Callable[..., Readings]] = {
    CounterReading: _counters,
    GaugeReading: _gauges,
    HistogramReading: _histograms,
}


def _counts(running: list[Any], places: int) -> list[tuple[float, ...]]:
    """The running counts of all series, of which there may be a hundred thousand: what can be is checked at once."""
    if set(map(type, running)) != {list}:
        raise TypeError("counts that are no list")
    lengths = set(map(len, running))
    if len(lengths) > 1 or not lengths <= {places, places + 1}:
        raise ValueError("other buckets than there are")
    counts = [*chain.from_iterable(running)]
    kinds = set(map(type, counts))
    if not kinds <= _NUMBERS:
        raise TypeError("a count that is no number")
    if not isfinite(sum(counts)) and not all(map(isfinite, counts)):
        raise ValueError("a count without end")
    if float in kinds:
        return [tuple(map(float, each)) if float in map(type, each) else tuple(each) for each in running]
    return [*map(tuple, running)]


def _optional(values: list[Any]) -> list[float | None]:
    if set(map(type, values)) <= _OPTIONAL:
        return values
    return [None if each is None else _number(each) for each in values]


def _beginnings(created: list[Any]) -> list[float | None]:
    found = _optional(created)
    if any(each != each for each in found):
        raise ValueError("a count without end")
    return found


def _exemplars(found: Any, places: int) -> dict[int, Exemplar]:
    return {_within(at, places): _exemplar(*exemplar) for at, exemplar in found}


def _native(parts: Any, limit: int) -> NativeHistogram:
    count, total, schema, threshold, zeros, *runs, exemplars = _of(list, parts)
    positive_spans, negative_spans, positive_deltas, negative_deltas = runs
    above, below = _run(positive_spans, positive_deltas), _run(negative_spans, negative_deltas)
    if _of(int, schema) not in range(-4, 9) or limit < 1:
        raise ValueError("buckets of no known width")
    return NativeHistogram(
        _finite(count),
        _number(total),
        schema,
        _finite(threshold),
        _finite(zeros),
        *(above[0], below[0]),
        *(above[1], below[1]),
        [_exemplar(*each) for each in exemplars or ()],
    )


def _run(spans: Any, deltas: Any) -> tuple[list[BucketSpan], list[Any]]:
    found = [BucketSpan(_of(int, offset), _of(int, length)) for offset, length in spans or ()]
    changes = [_finite(delta) for delta in deltas or ()]
    # Before anyone counts on it: a length may be a number that no memory could hold as many of.
    if any(length < 0 or abs(offset) > _FARTHEST for offset, length in found) or sum(
        length for _, length in found
    ) != len(changes):
        raise ValueError("spans of other buckets than there are")
    return found, changes


def _exemplar(labels: Any, value: Any, timestamp: Any) -> Exemplar:
    _texts([*_of(dict, labels), *labels.values()])
    return Exemplar(labels, _number(value), None if timestamp is None else _finite(timestamp))


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _text(value: object) -> str:
    text = _of(str, value)
    text.encode()  # half a surrogate pair cannot be
    return text


def _texts(values: Any) -> list[str]:
    "".join(_of(list, values)).encode()  # TypeError where one is no text
    return values  # type: ignore[no-any-return]


def _number(value: Any) -> float:
    if type(value) not in _NUMBERS:
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)


def _finite(value: Any) -> float:
    if not isfinite(_number(value)):
        raise ValueError("a count without end")
    return value  # type: ignore[no-any-return]  # whole numbers stay what they are


def _within(at: Any, places: int) -> int:
    if not 0 <= _of(int, at) < places:
        raise ValueError("an exemplar of no bucket")
    return int(at)


_NUMBERS = {int, float}
_OPTIONAL = {float, type(None)}
_BEFORE = CounterReading._fields.index("before")
_RUNNING, _EXEMPLARS = map(HistogramReading._fields.index, ("running", "exemplars"))
_VALUES, _FIELDS = -2, -1  # where a line of a family has them, in what it has of a group
_MODES = get_args(MultiprocessMode)
_FARTHEST = 1 << 20  # buckets: the finest schema has half a million of them between the least and the largest float
