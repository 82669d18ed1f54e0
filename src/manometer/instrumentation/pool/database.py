"""Pools of connections under OpenTelemetry's names, `db.client.connection.*`: the same readings once more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.samples import Sample

from manometer.catalogue import MetricSpec, label
from manometer.catalogue.database import ATTRIBUTES, SPECS, VIEW_OF
from manometer.instrumentation.binding import Subject, View
from manometer.meters import Counter, Gauge, Histogram, Meter
from manometer.meters.family import Family, Series
from manometer.registry.catalogued import family, meter, pulled_sample

__all__ = ["show"]

_KIND, _CONNECTION = label("pool.kind"), "connection"


def show(registry: CollectorRegistry) -> Callable[[], None]:
    """Show the registry's pools of connections under these names too; the function that comes back ends that.

    MetricError where the registry has a metric of one of the names.
    """
    # Meters that nobody writes to: a family has its name, labels and buckets of one.
    sources = {row.name: meter(row, _METERS[row.prometheus_type]) for row in SPECS}
    subject = Subject.on(registry, "pool")
    subject.shows(registry, View(SPECS, partial(_view, sources)))
    return lambda: subject.shows(registry, None)


def _view(sources: Mapping[str, Meter[Any]], families: Iterable[Metric]) -> Iterator[Metric]:
    for told in families:
        theirs = _THEIRS.get(told.name)
        if theirs is None:
            continue
        if isinstance(told, Family):
            shown: Metric = Family(
                sources[theirs.name],
                _series(told, told.series, theirs),
                _samples(told.pulled, theirs),
                None if told.ended is None else _series(told, told.ended, theirs),
            )
            if shown.series or shown.pulled:  # type: ignore[attr-defined]
                yield shown
        else:
            shown = family(theirs)
            shown.samples = _samples(told.samples, theirs)
            if shown.samples:
                yield shown


def _series(told: Family[Any], series: Sequence[Series[Any]], theirs: MetricSpec) -> list[Series[Any]]:
    """The series of pools of connections, with the label values that theirs have."""
    names = told.source.labelnames
    kind, kept = names.index(_KIND), [names.index(label(ATTRIBUTES[each])) for each in theirs.attributes]
    return [
        Series(tuple([values[place] for place in kept]), reading)
        for values, reading in series
        if values[kind] == _CONNECTION
    ]


def _samples(samples: Iterable[Sample], theirs: MetricSpec) -> list[Sample]:
    """What was pulled of pools of connections."""
    return [
        pulled_sample(theirs, {each: labels[label(ATTRIBUTES[each])] for each in theirs.attributes}, value)
        for _, labels, value, *_ in samples
        if labels[_KIND] == _CONNECTION
    ]


_THEIRS = {VIEW_OF[row.name].family_name: row for row in SPECS}
_METERS: dict[str, type[Meter[Any]]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
