"""What one process tells the others: its families as rows of numbers."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from math import isfinite, isnan
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, NativeHistogram, Sample

from manometer.meters.counter import CounterReading
from manometer.meters.exponential import BUCKET_LIMIT, ExponentialBuckets
from manometer.meters.family import Family as Read
from manometer.meters.histogram import HistogramReading
from manometer.processes.merge_modes import MergeMode

__all__ = [
    "Family",
    "Group",
    "Native",
    "Process",
    "Row",
    "Shape",
    "Slot",
    "Snapshot",
    "Told",
    "apart",
    "family",
    "is_of",
    "is_sound",
]

Slot = tuple[str, str | None, bool]
"""A sample of a series: its name; of a bucket its `le`, else None; whether it tells when the series began."""
Shape = tuple[Slot, ...]
"""The samples of a series. The earliest beginning counts where others add up."""

_BUCKETED = ("histogram", "gaugehistogram")
_WITHOUT_BEGINNING = ("gauge", "unknown")
_COUNTED = (*_BUCKETED, "summary")
_COUNTS = ("_bucket", "_count", "_gcount")


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

The time is of a series whose most recent value counts, or of a summed gauge that the program sets itself, which was
set before; else 0. The sum of a native histogram is the value of the
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


class Process(NamedTuple):
    """A process, or one of the interpreters in it.

    parent: the file of the process that it was forked from; only_forks: whether it has forked others, and nothing
    but that since it did so first.
    """

    pid: int
    interpreter: int = 0
    parent: str = ""
    only_forks: bool = False

    @property
    def label(self) -> str:
        """What tells its series from others'."""
        return f"{self.pid}.{self.interpreter}" if self.interpreter else str(self.pid)


class Snapshot(NamedTuple):
    """The figures of a process, or of all that have ended.

    alive: whether the process is; includes: the files whose figures have been added to these; file: where it stood.
    """

    process: Process
    families: list[Family]
    alive: bool = True
    includes: Collection[str] = ()
    file: str = ""


def is_of(family_name: str, sample_name: str) -> bool:
    """Whether a sample may have that name in that family: another family's would stand twice in an exposition."""
    return sample_name == family_name or sample_name.startswith(f"{family_name}_")


def is_sound(family_name: str, kind: str, shape: Shape, values: Sequence[float]) -> bool:
    """Whether events are finite and beginnings are numbers. Totals, sums, gauges and quantiles may be anything."""
    if isfinite(sum(values)):
        return True
    counts = [family_name + suffix for suffix in _COUNTS] if kind in _COUNTED else []
    return all(
        not isnan(value) if begins else isfinite(value) or name not in counts
        for (name, _, begins), value in zip(shape, values, strict=True)
    )


def family(metric: Metric, way: MergeMode, now: float) -> Family:
    """A family of a collection that was made at `now`. Timestamps are left out.

    Raises ValueError where a collector says what no file may hold.
    """
    return _family(metric, way, now, chain(_of_readings(metric, way.mode), _of_samples(metric, way.mode)))


def apart(metric: Metric, way: MergeMode, now: float) -> Iterator[tuple[Family, object | None]]:
    """The same in one or two parts: what a meter says that keeps its removed series, with the meter, and the rest."""
    if isinstance(metric, Read) and metric.is_as_read and metric.ended is not None and way.mode == "sum":
        yield _family(metric, way, now, _of_readings(metric, way.mode)), metric.source
        if metric.pulled:
            yield _family(metric, way, now, _of_samples(metric, way.mode)), None
    else:
        yield family(metric, way, now), None


def _family(metric: Metric, way: MergeMode, now: float, series: "_Told") -> Family:
    groups: dict[Any, Group] = {}
    shape, group = None, None
    for mode, names, texts, each in series:
        set_at = 0.0
        if mode.endswith("mostrecent"):
            set_at = now if way.set_at is None else way.set_at(dict(zip(names, texts, strict=True)))
            if not set_at:  # never set, so there is no most recent value
                continue
        elif mode == "livesum" and way.is_written is not None:
            set_at = now if way.is_written(dict(zip(names, texts, strict=True))) else 0.0
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
            count, created, latest, _ = reading.whole
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
    shape = _shape(metric, samples)
    if not is_sound(metric.name, metric.type, shape, values):
        raise ValueError(f"{metric.name} has a count that is no finite number")
    return _Figures(shape, values, told, None if native is None else _foreign(native))


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
    plain = _plain(histogram)
    buckets = ExponentialBuckets.together([plain], sys.maxsize)
    return Native(buckets.histogram(plain.sum_value), max(BUCKET_LIMIT, buckets.filled))
