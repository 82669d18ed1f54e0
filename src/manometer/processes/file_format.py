"""The form of a snapshot in a file: behind its head, lines of JSON.

The first says whose figures these are. Each other line has rows of a family, and the rows are numbered through the
file; or it has rows that take the place of those of the same number, by which the file was brought up to date.

Whatever is in a file, what comes out of it can be added up: it is read as strictly as if it came from a stranger.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from itertools import accumulate, chain
from math import isfinite, isnan
from typing import Any, TypeVar, get_args

from prometheus_client.metrics_core import METRIC_TYPES
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

from manometer.meters.gauge import MultiprocessMode
from manometer.processes.file_head import Extent, UnreadableError, counted
from manometer.processes.snapshot import (
    Family,
    Group,
    Native,
    Process,
    Row,
    Shape,
    Slot,
    Snapshot,
    Told,
    is_of,
    is_sound,
)

__all__ = ["check", "decode", "encode", "file", "lines"]

_ROWS = 250  # in a line of a file: what is written or read in one go, while every other thread waits

T = TypeVar("T")


# --- writing


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    return file(snapshot.process, chain.from_iterable(map(lines, snapshot.families)), snapshot.includes)


def lines(family: Family) -> list[bytes]:
    """A family's part of a file; TypeError or ValueError where something in it is neither text nor a number."""
    return [
        _line([*family[:-1], [*group[:-1], group.rows[at : at + _ROWS]]])
        for group in family.groups
        for at in range(0, len(group.rows), _ROWS)
    ]


def check(family: Family) -> None:
    """Raise where a reader would refuse the family: another kit's collector may say anything.

    This looks at the first row of each group, and at each row that has an exemplar or exponential buckets. The code
    that makes the rows has checked the others.
    """
    doubtful = [
        group._replace(rows=group.rows[:1] + [row for row in group.rows[1:] if row[2] or row[4] is not None])
        for group in family.groups
    ]
    for line in lines(family._replace(groups=doubtful)):
        _family(*json.loads(line))


def file(process: Process, lines: Iterable[bytes], includes: Collection[str] = ()) -> bytes:
    """A file of these lines, headed by one that says what it is and how long, with a checksum."""
    body = b"".join([_line([process, list(includes)]), *lines])
    return Extent().extended(body).head + body


def _line(content: Any) -> bytes:
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    return _json(content).encode(errors="replace") + b"\n"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


# --- reading


def decode(data: bytes) -> Snapshot:
    """The snapshot of a file; UnreadableError, or AlienError, where it holds none."""
    body = counted(data)
    try:
        (process, includes), *found = map(json.loads, body.decode().removesuffix("\n").split("\n"))
        families = [_family(*each) for each in _up_to_date(found)]
        return Snapshot(_process(*process), families, includes=_texts(includes))
    except Exception as error:  # of whatever class nonsense leads to, too deep a nesting among them
        raise UnreadableError(f"it makes no sense ({type(error).__name__}: {error})") from None


def _up_to_date(lines: Iterable[Any]) -> list[Any]:
    """The lines of families, with each row as it was told last, and without those that were taken back."""
    families: list[Any] = []
    latest: dict[int, Any] = {}
    for line in lines:
        if line[0] is not None:
            families.append(line)
        else:
            latest |= {_of(int, number): figures for number, *figures in line[1]}
    if not latest:
        return families
    starts = [*accumulate([len(family[-1][-1]) for family in families], initial=0)]
    if min(latest) < 0 or max(latest) >= starts[-1]:
        raise ValueError("a row of no number")
    thinned = set()
    for number, figures in latest.items():
        at = bisect_right(starts, number) - 1
        rows, place = families[at][-1][-1], number - starts[at]
        if figures:
            rows[place] = [rows[place][0], *figures]
        else:
            rows[place] = None
            thinned.add(at)
    for at in thinned:
        rows = families[at][-1][-1]
        rows[:] = [row for row in rows if row is not None]
    return families


def _process(pid: object, interpreter: object, parent: object, only_forks: object) -> Process:
    return Process(_of(int, pid), _of(int, interpreter), _text(parent), _of(bool, only_forks))


def _family(name: object, kind: object, documentation: object, unit: object, group: Any) -> Family:
    texts = _text(name), _text(kind), _text(documentation), _text(unit)
    mode, names, shape, rows = _of(list, group)
    labelnames = tuple(_texts(names))
    slots = tuple([_slot(*slot) for slot in _of(list, shape)])
    if not name or kind not in METRIC_TYPES or mode not in _MODES or len(set(labelnames)) < len(labelnames):
        raise ValueError("a family of no name, kind or mode, or two labels of one name")
    if not all(is_of(texts[0], sample) for sample, _, _ in slots):
        raise ValueError("a sample of another family")
    read = _reader(texts[0], texts[1], len(labelnames), slots)
    return Family(*texts, [Group(mode, labelnames, slots, [read(*row) for row in rows])])


def _slot(name: object, bound: object, begins: object) -> Slot:
    if bound is not None and isnan(float(_text(bound))):
        raise ValueError("a bucket without a bound")
    return _text(name), None if bound is None else _text(bound), _of(bool, begins)


def _reader(name: str, kind: str, labels: int, shape: Shape) -> Callable[..., Row]:
    """What reads a row of so many labels and of such samples; a file may have a hundred thousand of them."""
    samples = len(shape)

    def read(labelvalues: Any, values: Any, exemplars: Any, set_at: Any, native: Any) -> Row:
        if len(_texts(labelvalues)) != labels or len(values) != samples or not set(map(type, values)) <= _NUMBERS:
            raise ValueError("a row of other labels, or of other values than there are samples")
        numbers = list(map(float, values))
        if not is_sound(name, kind, shape, numbers):
            raise ValueError("a count without end")
        told = [Told(_within(at, samples), _exemplar(*exemplar)) for at, exemplar in exemplars] if exemplars else ()
        return labelvalues, numbers, told, float(_finite(set_at)), None if native is None else _native(*native)

    return read


def _native(parts: Any, limit: Any) -> Native:
    count, total, schema, threshold, zeros, *runs, exemplars = _of(list, parts)
    positive_spans, negative_spans, positive_deltas, negative_deltas = runs
    above, below = _run(positive_spans, positive_deltas), _run(negative_spans, negative_deltas)
    if _of(int, schema) not in range(-4, 9) or _of(int, limit) < 1:
        raise ValueError("buckets of no known width")
    return Native(
        NativeHistogram(
            _finite(count),
            _number(total),
            schema,
            _finite(threshold),
            _finite(zeros),
            *(above[0], below[0]),
            *(above[1], below[1]),
            [_exemplar(*each) for each in exemplars or ()],
        ),
        limit,
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


def _within(at: Any, samples: int) -> int:
    if not 0 <= _of(int, at) < samples:
        raise ValueError("an exemplar of no sample")
    return int(at)


_NUMBERS = {int, float}
_MODES = get_args(MultiprocessMode)
_FARTHEST = 1 << 20  # buckets: the finest schema has half a million of them between the least and the largest float
