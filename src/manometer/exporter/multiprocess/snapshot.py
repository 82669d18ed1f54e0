"""What one process tells the others: its families as rows of numbers, and their form in a file."""

import json
import zlib
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.samples import Exemplar

from manometer.exporter.multiprocess.ways import Way

__all__ = [
    "AlienError",
    "Family",
    "Group",
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


class Row(NamedTuple):
    """One series. set_at: when, if it is the most recent value that counts; else 0."""

    labelvalues: list[str]
    values: list[float]
    exemplars: list[Told]
    set_at: float


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
    """A family of a collection that was made at `now`. Timestamps and native histograms are left out."""
    series: dict[Any, list[tuple[str, str | None, float, Exemplar | None]]] = {}
    bucketed = metric.type in ("histogram", "gaugehistogram")
    for name, labels, value, _, exemplar, *native in metric.samples:
        if native and native[0] is not None:
            continue
        bound, mode = None, way.mode
        if bucketed and "le" in labels:
            bound = labels["le"]
            labels = {label: text for label, text in labels.items() if label != "le"}
        elif metric.type == "summary" and "quantile" in labels:
            mode = "liveall"  # it does not add up as the count and sum do
        shown = exemplar if name.endswith(("_bucket", "_total")) else None
        series.setdefault((mode, *sorted(labels.items())), []).append((name, bound, float(value), shown))
    groups: dict[Any, Group] = {}
    for (mode, *items), samples in series.items():
        row = _row(items, samples, way, now)
        if mode.endswith("mostrecent") and not row.set_at:
            continue
        names, shape = [label for label, _ in items], [(name, bound) for name, bound, _, _ in samples]
        key = mode, *names, *shape
        if key not in groups:
            groups[key] = Group(mode, names, shape, [])
        groups[key].rows.append(row)
    return Family(metric.name, metric.type, metric.documentation, metric.unit, list(groups.values()))


def _row(
    items: list[tuple[str, str]], samples: list[tuple[str, str | None, float, Exemplar | None]], way: Way, now: float
) -> Row:
    exemplars = [
        Told(at, dict(found.labels), found.value, None if found.timestamp is None else float(found.timestamp))
        for at, (_, _, _, found) in enumerate(samples)
        if found is not None
    ]
    set_at = 0.0
    if way.mode.endswith("mostrecent"):
        set_at = now if way.set_at is None else way.set_at(dict(items))
    return Row([str(text) for _, text in items], [value for _, _, value, _ in samples], exemplars, set_at)


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


def _row_of(labelvalues: list[str], values: list[float], exemplars: Iterable[Any], set_at: float) -> Row:
    return Row(labelvalues, values, [Told(*each) for each in exemplars], set_at)
