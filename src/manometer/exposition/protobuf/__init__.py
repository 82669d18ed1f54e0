"""Prometheus's protobuf exposition: the one format of a scrape that has room for native histograms."""

from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from manometer.exposition.accept import media_ranges
from manometer.exposition.protobuf import readings, samples
from manometer.exposition.protobuf.messages import Kind, family_message, metric_name
from manometer.meters.family import Family

__all__ = ["CONTENT_TYPE", "choose_encoder", "generate"]

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

_TYPE = "application/vnd.google.protobuf"
_FORM = {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"}
_TEXTS = frozenset({"text/plain", "application/openmetrics-text", "text/*", "application/*", "*/*"})
_ESCAPINGS = frozenset({openmetrics.ALLOWUTF8, openmetrics.UNDERSCORES, openmetrics.DOTS, openmetrics.VALUES})


def choose_encoder(accept: str) -> tuple[Callable[[Collector], bytes], str] | None:
    """The encoder and its content type where the client likes this format best; None where text will do.

    accept: an HTTP Accept header. Its q-values decide, and among equals its order.
    """
    for each in media_ranges(accept):
        if each.type == _TYPE and _FORM.items() <= each.parameters.items():
            asked = each.parameters.get("escaping")
            escaping = asked if asked in _ESCAPINGS else openmetrics.UNDERSCORES
            return partial(generate, escaping=escaping), CONTENT_TYPE + (f"; escaping={escaping}" if asked else "")
        if each.type in _TEXTS:
            break
    return None


def generate(collector: Collector, escaping: str = openmetrics.UNDERSCORES) -> bytes:
    """The collector's families, each as a message behind its length."""
    return b"".join([_written(family, escaping) for family in collector.collect()])


def _written(family: Metric, escaping: str) -> bytes:
    """The family, and behind it each name among its samples that has no place in a message of its kind, untyped."""
    if isinstance(family, Family) and family.is_as_read:
        metrics, rest = _read(family, escaping), family.pulled
    else:
        metrics, rest = [], family.samples
    told = samples.metrics(family.name, family.type, rest, escaping)
    metrics += told.metrics
    body = b""
    if metrics:
        name = metric_name(family.name + told.suffix, escaping)
        body = family_message(name, family.documentation, family.unit, told.kind, metrics)
    for stray, untyped in told.strays.items():
        body += family_message(metric_name(stray, escaping), family.documentation, "", Kind.UNTYPED, untyped)
    return body


def _read(family: Family[Any], escaping: str) -> list[bytes]:
    """The messages of the series that were read, which show no labels where a child was read on its own."""
    source: Any = family.source
    shown = not family.series or family.series[0].values
    names, bounds = source.labelnames if shown else (), getattr(source, "bounds", ())
    write = readings.writer(Kind[family.type.upper()], names, bounds, escaping)
    return [write(values, reading) for values, reading in family.series]
