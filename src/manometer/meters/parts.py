"""What a reading comes to, one figure after the other: a line of text each, or a sample."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client.samples import Exemplar, NativeHistogram

from manometer.meters.family import Group
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading

__all__ = ["Part", "parts_of"]


class Part(NamedTuple):
    """One figure of a series. suffix: what the family's name lacks of its name; bound: the bucket's `le`."""

    suffix: str
    value: float
    bound: str | None = None
    exemplar: Exemplar | None = None
    native: NativeHistogram | None = None


def parts_of(kind: str, group: Group) -> Callable[[Any], Iterator[Part]]:
    """What takes a reading of the group, in a family of that kind, apart."""
    if group.suffix is None and kind in _KINDS:
        return _KINDS[kind](group)
    suffix = ("_info" if kind == "info" else "") if group.suffix is None else group.suffix

    def parts(reading: GaugeReading) -> Iterator[Part]:
        yield Part(suffix, reading.value)

    return parts


def _counter(_: Group) -> Callable[[CounterReading], Iterator[Part]]:
    def parts(reading: CounterReading) -> Iterator[Part]:
        yield Part("_total", reading.total, exemplar=reading.exemplar)
        if reading.created is not None:
            yield Part("_created", reading.created)

    return parts


def _histogram(group: Group, of_all: str = "_") -> Callable[[HistogramReading], Iterator[Part]]:
    def parts(reading: HistogramReading) -> Iterator[Part]:
        running = reading.running
        for at, (bound, count) in enumerate(zip(group.bounds, running, strict=len(running) == len(group.bounds))):
            yield Part("_bucket", float(count), bound, reading.exemplars.get(at))
        if running:
            yield Part(f"{of_all}count", float(running[-1]))
        if reading.total is not None:
            yield Part(f"{of_all}sum", reading.total)
        if reading.created is not None:
            yield Part("_created", reading.created)
        if reading.native is not None:
            yield Part("", 0.0, native=reading.native)

    return parts


def _gauge_histogram(group: Group) -> Callable[[HistogramReading], Iterator[Part]]:
    return _histogram(group, "_g")


_KINDS: Mapping[str, Callable[[Group], Callable[[Any], Iterator[Part]]]] = {
    "counter": _counter,
    "histogram": _histogram,
    "gaugehistogram": _gauge_histogram,
    "summary": _histogram,
}
