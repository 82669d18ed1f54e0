"""The body of `/metrics`: one guarded collection, in the format that the scraper asked for."""

from collections.abc import Callable, Collection, Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from manometer.exporter import protobuf
from manometer.exporter.text import write
from manometer.meters import collect
from manometer.meters.family import Family
from manometer.meters.kit import Kit

__all__ = ["render"]

Encoder = Callable[[Collector], bytes]

_END = b"# EOF\n"  # of an OpenMetrics body
_WRITING = "the writing of"
_NATIVE_FORMATS = (protobuf.CONTENT_TYPE, "application/openmetrics-text; version=2")
"""What has room for a native histogram; elsewhere its sample would be a series of zeros."""


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
    except (ValueError, TypeError):  # a version that is no number
        encode, content_type = choose_encoder("")
    body = [_written(family, encode, content_type, registry) for family in collect(registry, names)]
    if _is_openmetrics(content_type):
        body.append(_END)
    return b"".join(body), content_type


class _Collected(Collector):
    """A collection that was made already, as the encoders want it."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _written(family: Metric, encode: Encoder, content_type: str, registry: CollectorRegistry) -> bytes:
    """A family's part of the body; nothing where it cannot be written."""
    try:
        if isinstance(family, Family) and _is_ours(content_type):
            body = write(family, openmetrics=_is_openmetrics(content_type)).encode()
        else:
            kept = family if content_type.startswith(_NATIVE_FORMATS) else _classic(family)
            body = encode(_Collected([kept])).removesuffix(_END)
    except Exception:
        Kit.of(registry).failed(str(getattr(family, "name", type(family).__qualname__)), _WRITING)
        return b""
    kit = Kit.existing(registry)
    if kit is not None:
        kit.worked(family.name, _WRITING)
    return body


def _classic(family: Metric) -> Metric:
    """The family without native histograms."""
    if all(sample.native_histogram is None for sample in family.samples):
        return family
    kept = Metric(family.name, family.documentation, family.type, family.unit)
    kept.samples = [sample for sample in family.samples if sample.native_histogram is None]
    return kept


def _is_openmetrics(content_type: str) -> bool:
    return content_type.startswith("application/openmetrics-text")


def _is_ours(content_type: str) -> bool:
    """Whether the format is one that we write ourselves, with a classic name in it as it is."""
    return "escaping=dots" not in content_type and not content_type.startswith(_NATIVE_FORMATS)
