"""Prometheus's protobuf exposition: the one format of a scrape that has room for native histograms."""

from collections.abc import Callable
from functools import partial

from prometheus_client import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from manometer.exposition.accept import media_ranges
from manometer.exposition.protobuf import readings, samples
from manometer.exposition.protobuf.messages import Kind, family_message, metric_name
from manometer.exposition.text import is_plain
from manometer.meters.family import Family
from manometer.meters.metric_view import MetricView

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


def _written(metric: Metric, escaping: str) -> bytes:
    """The family, and behind it each name among its samples that has no place in a message of its kind, untyped."""
    family = metric.family if isinstance(metric, MetricView) else None
    if family is not None and is_plain(family):
        told = samples.Told(_read(family, escaping), {})
    else:
        told = samples.metrics(metric.name, metric.type, metric.samples, escaping)
    kind, suffix = samples.kind_and_suffix(metric.type)
    name, body = metric_name(metric.name + suffix, escaping), b""
    if told.metrics:
        body = family_message(name, metric.documentation, metric.unit, kind, told.metrics)
    for stray, untyped in told.strays.items():
        body += family_message(metric_name(stray, escaping), metric.documentation, "", Kind.UNTYPED, untyped)
    return body


def _read(family: Family, escaping: str) -> list[bytes]:
    """The messages of the series, from their readings."""
    found = []
    for group in family.groups:
        write = readings.writer(Kind[family.kind.upper()], group.labelnames, list(map(float, group.bounds)), escaping)
        found += [write(values, reading) for values, reading in group.series]
    return found
