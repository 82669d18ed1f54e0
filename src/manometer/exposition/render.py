"""The body of `/metrics`: one guarded collection, in the format that the scraper asked for."""

from collections.abc import Callable, Collection, Iterable
from io import BytesIO

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.exposition import UNDERSCORES
from prometheus_client.registry import Collector
from prometheus_client.utils import parse_version

from manometer.exposition import protobuf
from manometer.exposition.text import write
from manometer.exposition.text_form import Form
from manometer.meters.family import Family
from manometer.registry.collection import Collected, as_metric, collect
from manometer.registry.self_metrics import SelfMetrics

__all__ = ["render", "rendered"]

Encoder = Callable[[Collector], bytes]

_END = b"# EOF\n"  # of an OpenMetrics body
_WRITING = "the writing of"
_NATIVES_SINCE = (2, 0, 0)  # of OpenMetrics


def render(
    registry: CollectorRegistry = REGISTRY, accept: str = "", names: Collection[str] = ()
) -> tuple[bytes, str]:
    """Return the registry's figures and their content type.

    accept: an HTTP Accept header, which chooses Prometheus text, OpenMetrics, or protobuf with native histograms.
    names: where given, only samples of these names.
    A collector that raises loses only its own series; a family that cannot be written is dropped
    alone. Both are logged and counted in `manometer_collect_failures_total`.
    """
    return rendered(registry, collect(registry, names), accept, names)


def rendered(
    registry: CollectorRegistry, families: Iterable[Collected], accept: str = "", names: Collection[str] = ()
) -> tuple[bytes, str]:
    """The same of what was collected of the registry."""
    try:
        encode, content_type, form = _chosen(accept)
    except (ValueError, TypeError):  # a version that is no number
        encode, content_type, form = _chosen("")
    # Written part by part into one buffer: a list of a hundred megabytes of parts would have to be joined at the end.
    body, wanted = BytesIO(), frozenset(names)
    for family in families:
        start = body.tell()
        try:
            body.writelines(_written(family, encode, form, wanted))
        except Exception:
            body.seek(start)
            body.truncate()
            SelfMetrics.of(registry).failed(str(family.name), _WRITING)
        else:
            self_metrics = SelfMetrics.existing(registry)
            if self_metrics is not None:
                self_metrics.worked(family.name, _WRITING)
    if form is not None and form.is_openmetrics:
        body.write(_END)
    return body.getvalue(), content_type


def _chosen(accept: str) -> tuple[Encoder, str, Form | None]:
    """The encoder of what is not ours, the content type, and how we write what is; None for protobuf."""
    binary = protobuf.choose_encoder(accept)
    if binary is not None:
        return *binary, None
    encode, content_type = choose_encoder(accept)
    kind, *rest = content_type.split(";")
    settings = dict(part.strip().split("=") for part in rest)
    is_openmetrics = kind == "application/openmetrics-text"
    form = Form(
        is_openmetrics,
        escaping=settings.get("escaping", UNDERSCORES),
        natives=is_openmetrics and parse_version(settings["version"]) >= _NATIVES_SINCE,
    )
    return encode, content_type, form


class _AsCollector(Collector):
    """A collection that was made already, as the encoders want it."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _written(family: Collected, encode: Encoder, form: Form | None, names: Collection[str]) -> Iterable[bytes]:
    """A family's parts of the body."""
    if form is not None and isinstance(family, Family):
        return write(family, form, names)
    metric = _of_names(as_metric(family), names)
    if metric is None:
        return ()
    if form is not None and not form.is_openmetrics:
        metric = _classic(metric)
    return (encode(_AsCollector([metric])).removesuffix(b"" if form is None else _END),)


def _of_names(family: Metric, names: Collection[str]) -> Metric | None:
    """The family as it is, or where there are names, what of it has one."""
    if not names:
        return family
    kept = Metric(family.name, family.documentation, family.type)  # without a unit, as prometheus-client has it
    kept.samples = [sample for sample in family.samples if sample.name in names]
    return kept if kept.samples else None


def _classic(family: Metric) -> Metric:
    """The family without native histograms, each of which prometheus-client would write as a series of zeros."""
    if all(sample.native_histogram is None for sample in family.samples):
        return family
    kept = Metric(family.name, family.documentation, family.type)  # this format has no place for a unit
    kept.samples = [sample for sample in family.samples if sample.native_histogram is None]
    return kept
