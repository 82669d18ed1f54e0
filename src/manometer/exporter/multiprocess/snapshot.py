"""What one process tells the others: its families as rows of numbers, and their form in a file."""

import json
import sys
import zlib
from collections.abc import Collection, Iterable
from itertools import repeat
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
    "Snapshot",
    "Told",
    "UnreadableError",
    "decode",
    "encode",
    "family",
]

_MAGIC = b"manometer-processes"
_VERSION = b"1"


class UnreadableError(ValueError):
    """A file that no longer holds its figures whole."""


class AlienError(UnreadableError):
    """A file that is not ours to replace: of another program, or of another version of this one."""


class Told(NamedTuple):
    """An exemplar of the value at that place in its row."""

    at: int
    labels: dict[str, str]
    value: float
    timestamp: float | None


class Native(NamedTuple):
    """The exponential buckets of a series, and how many of them it may fill."""

    histogram: NativeHistogram
    limit: int


class Row(NamedTuple):
    """One series.

    set_at: when, if it is the most recent value that counts; else 0.
    native: of a native histogram all but its sum, which is the value of the sample of that name.
    """

    labelvalues: list[str]
    values: list[float]
    exemplars: list[Told]
    set_at: float
    native: Native | None = None


class Group(NamedTuple):
    """Series of a family with the same label names and the same samples.

    shape: the name of each sample and, of a bucket, its `le`; else None.
    """

    mode: str
    labelnames: list[str]
    shape: list[tuple[str, str | None]]
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
    for (mode, names, texts), series in _series(metric, way.mode).items():
        set_at = 0.0
        if mode.endswith("mostrecent"):
            set_at = now if way.set_at is None else way.set_at(dict(zip(names, texts, strict=True)))
            if not set_at:  # never set, so there is no most recent value
                continue
        key = mode, names, tuple(series.shape)
        if key not in groups:
            groups[key] = Group(mode, list(names), series.shape, [])
        labelvalues = [str(text) for text in texts]
        groups[key].rows.append(Row(labelvalues, series.values, series.exemplars, set_at, series.native))
    return Family(metric.name, metric.type, metric.documentation, metric.unit, list(groups.values()))


class _Series(NamedTuple):
    shape: list[tuple[str, str | None]]
    values: list[float]
    exemplars: list[Told]
    native: Native | None = None


_Found = dict[tuple[str, tuple[str, ...], tuple[str, ...]], _Series]


def _series(metric: Metric, mode: str) -> _Found:
    """What belongs together, by mode and labels: all samples but those of buckets are of labels of their own."""
    found: _Found = {}
    samples: Iterable[Sample] = metric.samples if not isinstance(metric, Read) else metric.pulled
    if isinstance(metric, Read):
        for values, reading in metric.series:
            names = metric.source.labelnames if values else ()
            found[mode, names, values] = _of_reading(metric.source, reading)
    bucketed = metric.type in ("histogram", "gaugehistogram")
    for sample in samples:
        name, labels, exemplar, native = sample.name, sample.labels, sample.exemplar, sample.native_histogram
        names, texts, bound, how = tuple(labels), tuple(labels.values()), None, mode
        if bucketed and "le" in labels:
            at = names.index("le")
            names, texts, bound = names[:at] + names[at + 1 :], texts[:at] + texts[at + 1 :], texts[at]
        elif metric.type == "summary" and "quantile" in labels:
            how = "liveall"  # it does not add up as the count and sum do
        series = found.get((how, names, texts))
        if series is None:
            series = found[how, names, texts] = _Series([], [], [])
        if exemplar is not None and name.endswith(("_bucket", "_total")):
            series.exemplars.append(_told(len(series.values), exemplar))
        if native is not None:
            found[how, names, texts] = series._replace(native=_foreign(native))
        series.shape.append((name, bound))
        series.values.append(float(sample.value if native is None else native.sum_value))
    return found


def _of_reading(source: Any, reading: Any) -> _Series:
    """The same from the reading of a meter of ours, at a tenth of the price."""
    name = source.name
    shape: list[tuple[str, str | None]]
    native = None
    match reading:
        case HistogramReading(running, total, created, exemplars, histogram):
            shape = [*zip(repeat(f"{name}_bucket"), source.bound_labels), (f"{name}_count", None)]
            values = [*map(float, running), float(running[-1])]
            told = [_told(at, exemplar) for at, exemplar in exemplars.items()]
            if total is not None:
                shape.append((f"{name}_sum", None))
                values.append(total)
            if histogram is not None:
                shape.append((name, None))
                values.append(histogram.sum_value)
                native = Native(histogram, source.max_native_buckets)
        case CounterReading(total, created, exemplar):
            shape, values = [(f"{name}_total", None)], [total]
            told = [] if exemplar is None else [_told(0, exemplar)]
        case _:
            return _Series([(name, None)], [float(reading)], [])
    if created is not None:
        shape.append((f"{name}_created", None))
        values.append(created)
    return _Series(shape, values, told, native)


def _told(at: int, exemplar: Exemplar) -> Told:
    return Told(at, *_plain(exemplar))


def _plain(exemplar: Exemplar) -> Exemplar:
    timestamp = None if exemplar.timestamp is None else float(exemplar.timestamp)
    return Exemplar(dict(exemplar.labels), exemplar.value, timestamp)


def _foreign(histogram: NativeHistogram) -> Native:
    """Another kit's buckets as ours are, of which there may be as many as there are; ValueError for nonsense."""
    histogram = histogram._replace(nh_exemplars=[_plain(exemplar) for exemplar in histogram.nh_exemplars or ()])
    buckets = ExponentialBuckets.together([histogram], sys.maxsize)
    return Native(buckets.histogram(histogram.sum_value), max(BUCKET_LIMIT, buckets.filled))


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a file: a line that says what it is and how long, with a checksum, then JSON."""
    content = [snapshot.pid, snapshot.families, list(snapshot.includes)]
    # Half a surrogate pair, which JSON takes and UTF-8 does not, would spoil the exposition later on.
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return b"%s %s %08x %d\n%s" % (_MAGIC, _VERSION, zlib.crc32(body), len(body), body)


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
        pid, found, includes = json.loads(body)
        return Snapshot(pid, [_decoded(*each) for each in found], includes=includes)
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"it makes no sense ({error})") from None


def _decoded(name: str, kind: str, documentation: str, unit: str, groups: Iterable[Any]) -> Family:
    rebuilt = [
        Group(mode, names, [(sample, bound) for sample, bound in shape], [_row_of(*row) for row in rows])
        for mode, names, shape, rows in groups
    ]
    return Family(name, kind, documentation, unit, rebuilt)


def _row_of(labelvalues: list[str], values: list[float], exemplars: Iterable[Any], set_at: float, native: Any) -> Row:
    told = [Told(*each) for each in exemplars]
    return Row(labelvalues, values, told, set_at, native and Native(_histogram_of(*native[0]), native[1]))


def _histogram_of(*parts: Any) -> NativeHistogram:
    histogram = NativeHistogram(*parts)
    return histogram._replace(
        pos_spans=[BucketSpan(*span) for span in histogram.pos_spans or ()],
        neg_spans=[BucketSpan(*span) for span in histogram.neg_spans or ()],
        nh_exemplars=[Exemplar(*exemplar) for exemplar in histogram.nh_exemplars or ()],
    )
