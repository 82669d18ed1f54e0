"""The form of a snapshot in a file: a line that says what the file is, with a checksum, and lines of JSON.

Whatever is in a file, what comes out of it can be added up: it is read as strictly as if it came from a stranger.
"""

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from math import isfinite, isnan
from typing import Any, TypeVar, get_args

from prometheus_client.metrics_core import METRIC_TYPES
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.family import Family, Group, Series, Values, kind_of_reading
from manometer.meters.gauge import MultiprocessMode
from manometer.meters.readings import NO_EXEMPLARS, CounterReading, GaugeReading, HistogramReading, Reading
from manometer.processes.snapshot import Process, Snapshot

__all__ = ["AlienError", "UnreadableError", "check", "decode", "encode", "file", "lines"]

_MAGIC = b"manometer-processes"
_VERSION = b"1"
_MOST = 250  # rows in a line of a file: what is written or read in one go, while every other thread waits

T = TypeVar("T")


class UnreadableError(ValueError):
    """A file that does not hold its figures whole, and maybe never did."""


class AlienError(UnreadableError):
    """A file that is not ours to replace: another version of this program wrote it."""


# --- writing


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    return file(snapshot.process, chain.from_iterable(map(lines, snapshot.families)), snapshot.includes)


def lines(family: Family) -> list[bytes]:
    """A family's part of a file; TypeError or ValueError where something in it is neither text nor a number."""
    return [
        _line([*family[:-1], [*_head_of(group), _ROWS[_kind(family, group)](group.series[at : at + _MOST])]])
        for group in family.groups
        for at in range(0, len(group.series), _MOST)
    ]


def _head_of(group: Group) -> tuple[object, ...]:
    return group.merge_mode, group.labelnames, group.bounds, group.native_limit, group.suffix


def _kind(family: Family, group: Group) -> type[Reading]:
    return kind_of_reading(family.kind, group.suffix)


def _counter_rows(series: Sequence[Series]) -> list[Any]:
    return [(values, total, created, exemplar) for values, (total, created, exemplar, _) in series]


def _gauge_rows(series: Sequence[Series]) -> list[Any]:
    return [(values, *reading) for values, reading in series]


def _histogram_rows(series: Sequence[Series]) -> list[Any]:
    return [
        (values, [*running], total, created, [*exemplars.items()] if exemplars else (), native)
        for values, (running, total, created, exemplars, native) in series
    ]


_ROWS: Mapping[type[Reading], Callable[[Sequence[Series]], list[Any]]] = {
    CounterReading: _counter_rows,
    GaugeReading: _gauge_rows,
    HistogramReading: _histogram_rows,
}


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


def file(process: Process, lines: Iterable[bytes], includes: Collection[str] = ()) -> bytes:
    """A file of these lines, headed by one that says what it is and how long, with a checksum."""
    body = b"\n".join([_line([process, list(includes)]), *lines])
    return b"%s\n%s" % (_head(body), body)


def _head(body: bytes) -> bytes:
    return b"%s %s %08x %d" % (_MAGIC, _VERSION, zlib.crc32(body), len(body))


def _line(content: Any) -> bytes:
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    return _json(content).encode(errors="replace")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# --- reading


def decode(data: bytes) -> Snapshot:
    """The snapshot of a file; UnreadableError, or AlienError, where it holds none."""
    head, _, body = data.partition(b"\n")
    if head != _head(body):
        match head.split(b" ", 2):
            case [magic, version, _] if magic == _MAGIC and version != _VERSION and version.isdigit():
                raise AlienError("another version of Manometer wrote it")
        raise UnreadableError("it is cut short or damaged, or Manometer did not write it")
    try:
        (process, includes), *found = map(json.loads, body.decode().split("\n"))
        return Snapshot(_process(*process), [_family(*each) for each in found], includes=_texts(includes))
    except Exception as error:  # of whatever class nonsense leads to, too deep a nesting among them
        raise UnreadableError(f"it makes no sense ({type(error).__name__}: {error})") from None


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
    if any(isnan(float(bound)) for bound in _texts(bounds)):
        raise ValueError("a bucket without a bound")
    if _of(int, limit) < 0:
        raise ValueError("buckets of no known width")
    read = _READERS[kind_of_reading(texts[1], suffix)]
    head = Group(labelnames, (), tuple(bounds), limit, suffix, mode)
    series = [(_labelvalues(values, labelnames), read(head, *figures)) for values, *figures in _of(list, rows)]
    if len({len(reading.running) for _, reading in series if isinstance(reading, HistogramReading)}) > 1:
        raise ValueError(_OTHER_ROW)
    return Family(*texts, [head._replace(series=series)])


def _labelvalues(values: Any, names: Values) -> Values:
    if len(_texts(values)) != len(names):
        raise ValueError(_OTHER_ROW)
    return tuple(values)


def _counter(_: Group, total: Any, created: Any, exemplar: Any) -> CounterReading:
    return CounterReading(_number(total), _beginning(created), None if exemplar is None else _exemplar(*exemplar))


def _gauge(_: Group, value: Any, set_at: Any) -> GaugeReading:
    return GaugeReading(_number(value), None if set_at is None else float(_finite(set_at)))


def _histogram(group: Group, running: Any, total: Any, created: Any, exemplars: Any, native: Any) -> HistogramReading:
    known, places = len(_of(list, running)), len(group.bounds)
    if (known not in (places, places + 1) and running) or (not running and places):
        raise ValueError(_OTHER_ROW)
    return HistogramReading(
        _counts(running),
        None if total is None else _number(total),
        _beginning(created),
        {_within(at, places): _exemplar(*exemplar) for at, exemplar in exemplars} if exemplars else NO_EXEMPLARS,
        None if native is None else _native(native, group.native_limit),
    )


def _counts(running: list[Any]) -> tuple[float, ...]:
    kinds = set(map(type, running))
    if not kinds <= _NUMBERS:
        raise ValueError(_OTHER_ROW)
    if not isfinite(sum(running)) and not all(map(isfinite, running)):
        raise ValueError("a count without end")
    return tuple(map(float, running)) if float in kinds else tuple(running)


_READERS: Mapping[type[Reading], Callable[..., Reading]] = {
    CounterReading: _counter,
    GaugeReading: _gauge,
    HistogramReading: _histogram,
}


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


def _beginning(value: Any) -> float | None:
    if value is not None and isnan(_number(value)):
        raise ValueError("a count without end")
    return None if value is None else float(value)


def _within(at: Any, places: int) -> int:
    if not 0 <= _of(int, at) < places:
        raise ValueError("an exemplar of no bucket")
    return int(at)


_NUMBERS = {int, float}
_OTHER_ROW = "a row of other labels, or of other buckets than there are"
_MODES = get_args(MultiprocessMode)
_FARTHEST = 1 << 20  # buckets: the finest schema has half a million of them between the least and the largest float
