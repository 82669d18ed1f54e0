"""A snapshot read from a file, whose lines `file_writing` describes.

Whatever is in a file, what comes out of it can be added up: it is read as strictly as if it came from a stranger.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from math import isfinite, isnan
from typing import Any, TypeVar, get_args

from prometheus_client.metrics_core import METRIC_TYPES
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.gauge import MultiprocessMode
from manometer.meters.readings import NO_EXEMPLARS, CounterReading, GaugeReading, HistogramReading, Reading
from manometer.processes.file_head import UnreadableError, counted
from manometer.processes.file_writing import lines
from manometer.processes.snapshot import Process, Snapshot

__all__ = ["check", "decode"]

T = TypeVar("T")
Readings = Iterable[Reading]
Column = Sequence[Any]
"""One field of several rows."""


def decode(data: bytes) -> Snapshot:
    """The snapshot of a file; UnreadableError, or AlienError, where it holds none."""
    body = counted(data)
    try:
        first, *found = map(json.loads, body.decode().removesuffix("\n").split("\n"))
        (process, includes), families = _up_to_date(first, found)
        return Snapshot(_process(*process), [_family(*each) for each in families], includes=_texts(includes))
    except Exception as error:  # of whatever class nonsense leads to, too deep a nesting among them
        raise UnreadableError(f"it makes no sense ({type(error).__name__}: {error})") from None


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


def _up_to_date(first: Any, lines: Iterable[Any]) -> tuple[Any, list[Any]]:
    """The line that says whose these are and those of families, each row as it was told last, if it is still one."""
    families: list[Any] = []
    latest: dict[int, Any] = {}
    for line in lines:
        match line:
            case [None, rows]:
                latest |= {row[0]: row for row in rows}
            case [list(), _]:
                first = line
            case _:
                families.append(line)
    if latest:
        _correct(families, latest)
    return first, families


def _correct(families: list[Any], latest: dict[int, Any]) -> None:
    starts = [*accumulate([len(family[-1][-1]) for family in families], initial=0)]
    if {*map(type, latest)} != {int} or min(latest) < 0 or max(latest) >= starts[-1]:
        raise ValueError("a row of no number")
    thinned = set()
    for number, row in latest.items():
        at = bisect_right(starts, number) - 1
        rows, place = families[at][-1][-1], number - starts[at]
        if len(row) > 1:
            row[0] = rows[place][0]  # the label values
            rows[place] = row
        else:
            rows[place] = None
            thinned.add(at)
    for at in thinned:
        rows = families[at][-1][-1]
        rows[:] = [row for row in rows if row is not None]


def _process(pid: object, interpreter: object, parent: object, only_forks: object) -> Process:
    return Process(_of(int, pid), _of(int, interpreter), _text(parent), _of(bool, only_forks))


def _family(name: object, kind: object, documentation: object, unit: object, group: Any) -> Family:
    texts = _text(name), _text(kind), _text(documentation), _text(unit)
    mode, names, bounds, limit, suffix, rows = _of(list, group)
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
    if not set(map(type, _of(list, rows))) <= {list}:
        raise TypeError("a row that is no list")
    # Field by field: there may be a hundred thousand rows, and what can be is checked of all at once.
    values, *fields = zip(*rows, strict=True) if rows else [()]
    series = zip(_labelvalues(values, labelnames), _READERS[kind_of](head, *fields), strict=True) if rows else ()
    return Family(*texts, [head._replace(series=[*series])])


def _labelvalues(values: Column, names: Values) -> list[Values]:
    if set(map(type, values)) != {list} or set(map(len, values)) != {len(names)}:
        raise ValueError("a row of other labels")
    _texts([*chain.from_iterable(values)])
    return [*map(tuple, values)]


def _counters(_: Group, totals: Column, created: Column, exemplars: Column) -> Readings:
    told = [None if each is None else _exemplar(*each) for each in exemplars]
    return map(CounterReading, map(_number, totals), _beginnings(created), told)


def _gauges(_: Group, values: Column, set_at: Column) -> Readings:
    times = [None if each is None else float(_finite(each)) for each in set_at]
    return map(GaugeReading, map(_number, values), times)


def _histograms(
    group: Group, running: Column, totals: Column, created: Column, exemplars: Column, native: Column
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


def _counts(running: Column, places: int) -> list[tuple[float, ...]]:
    """The running counts of all rows."""
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


def _optional(values: Column) -> Sequence[float | None]:
    if set(map(type, values)) <= _OPTIONAL:
        return values
    return [None if each is None else _number(each) for each in values]


def _beginnings(created: Column) -> Sequence[float | None]:
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
_MODES = get_args(MultiprocessMode)
_FARTHEST = 1 << 20  # buckets: the finest schema has half a million of them between the least and the largest float
