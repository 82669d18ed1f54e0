"""The body of `/metrics`: one guarded collection, in the format that the scraper asked for."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from manometer.exporter import protobuf
from manometer.meters import collect
from manometer.meters.kit import Kit

__all__ = ["render"]

Encoder = Callable[[Collector], bytes]

_NATIVE_FORMATS = (protobuf.CONTENT_TYPE, "application/openmetrics-text; version=2")
"""What has room for a native histogram; elsewhere its sample would be a series of zeros."""

_log = logging.getLogger("manometer")


def render(
    registry: CollectorRegistry = REGISTRY, accept: str = "", names: Collection[str] = ()
) -> tuple[bytes, str]:
    """Return the registry's figures and their content type.

    accept: an HTTP Accept header, which chooses Prometheus text, OpenMetrics, or protobuf with native histograms.
    names: where given, only samples of these names.
    A collector that raises loses only its own series; a family that cannot be written is dropped
    alone. Both are logged and counted in `manometer_collect_failures_total`.
    """
    try:
        encode, content_type = protobuf.choose_encoder(accept) or choose_encoder(accept)
    except Exception:  # a header that prometheus-client cannot make sense of, such as a version in words
        encode, content_type = choose_encoder("")
    if not content_type.startswith(_NATIVE_FORMATS):
        encode = partial(_encode_classic, encode)
    families = collect(registry, names)
    try:
        return encode(_Collected(families)), content_type
    except Exception:
        writable = [family for family in families if _can_write(encode, family, registry)]
    return encode(_Collected(writable)), content_type


class _Collected(Collector):
    """A collection that was made already, as the encoders want it."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _encode_classic(encode: Encoder, collector: Collector) -> bytes:
    return encode(_Collected(map(_classic, collector.collect())))


def _classic(family: Metric) -> Metric:
    """The family without native histograms."""
    if all(sample.native_histogram is None for sample in family.samples):
        return family
    kept = Metric(family.name, family.documentation, family.type, family.unit)
    kept.samples = [sample for sample in family.samples if sample.native_histogram is None]
    return kept


def _can_write(encode: Encoder, family: Metric, registry: CollectorRegistry) -> bool:
    try:
        encode(_Collected([family]))
    except Exception as error:
        name = str(getattr(family, "name", type(family).__qualname__))
        _log.error("family %r cannot be written (%r); its series are missing from this scrape", name, error)
        Kit.of(registry).failed(name)
        return False
    return True
