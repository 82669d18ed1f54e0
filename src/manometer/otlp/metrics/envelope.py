"""What stands around the metrics in a request: whose they are, and what measured them."""

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.sdk.resources import Resource

from manometer.registry.collection import Collected, as_metric
from manometer.version import __version__

__all__ = ["SCOPE", "is_target", "opening", "target_of"]

SCOPE: bytes = ScopeMetrics(scope=InstrumentationScope(name="manometer", version=__version__)).SerializeToString()
"""The fields of ScopeMetrics but for its metrics."""


def opening(resource: Resource) -> bytes:
    """The fields of ResourceMetrics but for its scopes."""
    attributes = [KeyValue(key=key, value=_value(value)) for key, value in resource.attributes.items()]
    whole = ResourceMetrics(resource=resource_pb2.Resource(attributes=attributes), schema_url=resource.schema_url)
    return bytes(whole.SerializeToString())


def is_target(found: Collected) -> bool:
    """Whether it is the `target_info` of a registry, which is a part of the resource in OTLP."""
    return found.name == "target" and as_metric(found).type == "info"


def target_of(found: Iterable[Collected]) -> Mapping[str, str]:
    """What the registry's `target_info` says of the program."""
    infos = [as_metric(each) for each in found if is_target(each)]
    return {label: value for info in infos for sample in info.samples for label, value in sample.labels.items()}


def _value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=map(_value, value)))
