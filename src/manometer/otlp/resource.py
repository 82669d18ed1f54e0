"""Who sends: the resource of everything that leaves the program over OTLP."""

from opentelemetry.sdk.resources import Resource

__all__ = ["INSTANCE", "resource_of"]

INSTANCE = "service.instance.id"


def resource_of(service: str) -> Resource:
    """The resource of the service, with what OpenTelemetry's own variables add to it."""
    return Resource.create({"service.name": service})
