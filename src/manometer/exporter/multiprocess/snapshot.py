"""What one process tells the others: its families as rows of numbers, and their form in a file."""

import json
import sys
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample

from manometer.exporter.multiprocess.ways import Way
from manometer.meters.counter import CounterReading
from manometer.meters.exponential import BUCKET_LIMIT, ExponentialBuckets
from manometer.meters.family import Family as Read
from manometer.meters.histogram import HistogramReading

__all__ = [
    "AlienError",
    "Family",
    "Group",
    "Native",
    "Row",
    "Shape",
    "Slot",
    "Snapshot",
    "Told",
    "UnreadableError",
    "decode",
    "encode",
    "family",
    "file",
    "lines",
]

_MAGIC = b"manometer-processes"
_VERSION = b"1"
_ROWS = 250  # in a line of a file: what is written or read in one go, while every other thread waits

Slot = tuple[str, str | None, bool]
"""A sample of a series: its name; of a bucket its `le`, else None; whether it tells when the series began."""
Shape = tuple[Slot, ...]
"""The samples of a series. The earliest beginning counts where others add up."""

_BUCKETED = ("histogram", "gaugehistogram")
_WITHOUT_BEGINNING = ("gauge", "unknown")


class UnreadableError(ValueError):
    """A file that no longer holds its figures whole."""


class AlienError(UnreadableError):
    """A file that is not ours to replace: of another program, or of another version of this one."""


class Told(NamedTuple):
    """An exemplar of the value at that place in its row."""

    at: int
    exemplar: Exemplar


class Native(NamedTuple):
    """The exponential buckets of a series, and how many of them it may fill."""

    histogram: NativeHistogram
    limit: int


Row = tuple[Sequence[str], Sequence[float], Sequence[Told], float, Native | None]
"""One series: the values of its labels, those of its samples, exemplars, when it was set, exponential buckets.

The time is of a series whose most recent value counts; else 0. The sum of a native histogram is the value of the
sample of that name. A plain tuple, for of those the garbage collector soon takes no more notice: as other objects,
tens of thousands a second would have it go through all that the program has.
"""


class Group(NamedTuple):
    """Series of a family with the same label names and the same samples."""

    mode: str
    labelnames: tuple[str, ...]
    shape: Shape
    rows: list[Row]


class Family(NamedTuple):
    """A metric family. A series may stand in several rows, which add up as those of several processes do."""

    name: str
    kind: str
    help: str
    unit: str
    groups: list[Group]


class Snapshot(NamedTuple):
    """The figures of a process, or of all that have ended.

    alive: whether the process is; includes: the files whose figures have been added to these.
    """

    pid: int
    families: list[Family]
    alive: bool = True
    includes: Collection[str] = ()


def family(metric: Metric, way: Way, now: float) -> Family:
    """A family of a collection that was made at `now`. Timestamps are left out."""
    groups: dict[Any, Group] = {}
    shape, group = None, None
    for mode, names, texts, each in chain(_of_readings(metric, way.mode), _of_samples(metric, way.mode)):
        set_at = 0.0
        if mode.endswith("mostrecent"):
            set_at = now if way.set_at is None else way.set_at(dict(zip(names, texts, strict=True)))
            if not set_at:  # never set, so there is no most recent value
                continue
        if each.shape is not shape or group is None or (mode, names) != (group.mode, group.labelnames):
            shape = each.shape
            group = groups.setdefault((mode, names, shape), Group(mode, names, shape, []))
        group.rows.append((texts, each.values, each.exemplars, set_at, each.native))
    return Family(metric.name, metric.type, metric.documentation, metric.unit, list(groups.values()))


class _Figures(NamedTuple):
    shape: Shape
    values: Sequence[float]
    exemplars: Sequence[Told]
    native: Native | None


_Told = Iterator[tuple[str, tuple[str, ...], tuple[str, ...], _Figures]]
"""Series by series: its mode, the names and values of its labels, its figures."""


def _of_readings(metric: Metric, mode: str) -> _Told:
    """What the readings of a meter of ours say, at a tenth of the price of samples."""
    if not isinstance(metric, Read) or not metric.is_as_read:
        return
    shapes: dict[int, Shape] = {}
    for texts, reading in metric.lasting:
        names = metric.source.labelnames if texts else ()
        yield mode, names, texts, _of_reading(metric, reading, shapes)


def _of_reading(metric: Read[Any], reading: Any, shapes: dict[int, Shape]) -> _Figures:
    """shapes: those of the family that have been seen, by the number of samples."""
    source: Any = metric.source
    values: tuple[float, ...]
    told: Sequence[Told] = ()
    created: float | None = None
    native = None
    match reading:
        case HistogramReading():
            running, total, created, exemplars, histogram = reading
            values = (*running, running[-1]) if total is None else (*running, running[-1], float(total))
            if exemplars:
                told = [Told(at, _bare(exemplar)) for at, exemplar in exemplars.items()]
            if histogram is not None:
                native = Native(_plain(histogram), source.max_native_buckets)
        case CounterReading():
            count, created, latest = reading
            values = (float(count),)
            if latest is not None:
                told = [Told(0, _bare(latest))]
        case _:
            values = (float(reading),)
    if created is not None:
        values += (created,)
    if native is not None:
        values += (native.histogram.sum_value,)
    if len(values) not in shapes:
        shapes[len(values)] = _shape(metric, source.expand({}, reading))
    return _Figures(shapes[len(values)], values, told, native)


def _of_samples(metric: Metric, mode: str) -> _Told:
    """What belongs together by mode and labels: all samples but those of buckets are of labels of their own."""
    samples: Iterable[Sample]
    samples = metric.pulled if isinstance(metric, Read) and metric.is_as_read else metric.samples
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Sample]] = {}
    bucketed = metric.type in _BUCKETED
    for sample in samples:
        labels, how = sample.labels, mode
        names, texts = tuple(labels), tuple(map(str, labels.values()))
        if bucketed and "le" in labels:
            at = names.index("le")
            names, texts = names[:at] + names[at + 1 :], texts[:at] + texts[at + 1 :]
        elif metric.type == "summary" and "quantile" in labels:
            how = "liveall"  # it does not add up as the count and sum do
        found.setdefault((how, names, texts), []).append(sample)
    for (how, names, texts), together in found.items():
        yield how, names, texts, _figures(metric, together)


def _figures(metric: Metric, samples: Sequence[Sample]) -> _Figures:
    native = next((sample.native_histogram for sample in samples if sample.native_histogram is not None), None)
    values = [
        float(sample.value if sample.native_histogram is None else sample.native_histogram.sum_value)
        for sample in samples
    ]
    told = [
        Told(at, _bare(sample.exemplar))
        for at, sample in enumerate(samples)
        if sample.exemplar is not None and sample.name.endswith(("_bucket", "_total"))
    ]
    return _Figures(_shape(metric, samples), values, told, None if native is None else _foreign(native))


def _shape(metric: Metric, samples: Iterable[Sample]) -> Shape:
    bucketed = metric.type in _BUCKETED
    beginning = None if metric.type in _WITHOUT_BEGINNING else f"{metric.name}_created"
    return tuple(
        [
            (each.name, str(each.labels["le"]) if bucketed and "le" in each.labels else None, each.name == beginning)
            for each in samples
        ]
    )


def _bare(exemplar: Exemplar) -> Exemplar:
    timestamp = None if exemplar.timestamp is None else float(exemplar.timestamp)
    return Exemplar(dict(exemplar.labels), float(exemplar.value), timestamp)


def _plain(histogram: NativeHistogram) -> NativeHistogram:
    exemplars = [_bare(exemplar) for exemplar in histogram.nh_exemplars or ()]
    return histogram._replace(sum_value=float(histogram.sum_value), nh_exemplars=exemplars)


def _foreign(histogram: NativeHistogram) -> Native:
    """Another kit's buckets as ours are, of which there may be as many as there are; ValueError for nonsense."""
    buckets = ExponentialBuckets.together([_plain(histogram)], sys.maxsize)
    return Native(buckets.histogram(histogram.sum_value), max(BUCKET_LIMIT, buckets.filled))


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file."""
    return file(snapshot.pid, chain.from_iterable(map(lines, snapshot.families)), snapshot.includes)


def lines(family: Family) -> list[bytes]:
    """A family's part of a file; TypeError or ValueError where something in it is neither text nor a number."""
    return [
        _line([*family[:-1], [*group[:-1], group.rows[at : at + _ROWS]]])
        for group in family.groups
        for at in range(0, len(group.rows), _ROWS)
    ]


def file(pid: int, lines: Iterable[bytes], includes: Collection[str] = ()) -> bytes:
    """A file of these lines of JSON, headed by one that says what it is and how long, with a checksum."""
    body = b"\n".join([_line([pid, list(includes)]), *lines])
    return b"%s %s %08x %d\n%s" % (_MAGIC, _VERSION, zlib.crc32(body), len(body), body)


def _line(content: Any) -> bytes:
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    return _json(content).encode(errors="replace")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def decode(data: bytes) -> Snapshot:
    """The snapshot of a file; UnreadableError, or AlienError, where it holds none."""
    head, _, body = data.partition(b"\n")
    match head.split():
        case [magic, version, checksum, length] if magic == _MAGIC and version == _VERSION:
            if length != b"%d" % len(body) or checksum != b"%08x" % zlib.crc32(body):
                raise UnreadableError("it is cut short or damaged")
        case [magic, version, *_] if magic == _MAGIC:
            raise AlienError("another version of Manometer wrote it")
        case _:
            raise AlienError("Manometer did not write it")
    try:
        (pid, includes), *found = map(json.loads, body.split(b"\n"))
        return Snapshot(pid, [_decoded(*each) for each in found], includes=includes)
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"it makes no sense ({error})") from None


def _decoded(name: str, kind: str, documentation: str, unit: str, group: Any) -> Family:
    mode, names, shape, rows = group
    samples = tuple([(sample, bound, begins) for sample, bound, begins in shape])
    return Family(
        name, kind, documentation, unit, [Group(mode, tuple(names), samples, [_row_of(*row) for row in rows])]
    )


def _row_of(labelvalues: list[str], values: list[float], exemplars: Iterable[Any], set_at: float, native: Any) -> Row:
    told = [Told(at, Exemplar(*exemplar)) for at, exemplar in exemplars]
    return labelvalues, values, told, set_at, native and Native(_histogram_of(*native[0]), native[1])


def _histogram_of(*parts: Any) -> NativeHistogram:
    histogram = NativeHistogram(*parts)
    return histogram._replace(
        pos_spans=[BucketSpan(*span) for span in histogram.pos_spans or ()],
        neg_spans=[BucketSpan(*span) for span in histogram.neg_spans or ()],
        nh_exemplars=[Exemplar(*exemplar) for exemplar in histogram.nh_exemplars or ()],
    )
