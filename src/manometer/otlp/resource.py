"""Who sends: the resource of everything that leaves the program over OTLP."""

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

__all__ = ["INSTANCE", "given_instance", "resource_of"]

INSTANCE = "service.instance.id"


def resource_of(service: str) -> Resource:
    """The resource of the service, with what OpenTelemetry's own variables add to it."""
    return Resource.create({"service.name": service})


def given_instance() -> str | None:
    """The instance that OpenTelemetry's variables name; its SDK makes one up where they name none."""
    found = OTELResourceDetector().detect().attributes.get(INSTANCE)
    return None if found is None else str(found)
