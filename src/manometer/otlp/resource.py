"""Who sends: the resource of everything that leaves the program over OTLP."""

import platform
import socket
import sys
from pathlib import Path

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

__all__ = ["INSTANCE", "given_instance", "resource_of", "resource_of_spans"]

INSTANCE = "service.instance.id"


def resource_of(service: str) -> Resource:
    """The resource of the service, with what OpenTelemetry's own variables add to it."""
    return Resource.create({"service.name": service})


def given_instance() -> str | None:
    """The instance that OpenTelemetry's variables name; its SDK makes one up where they name none."""
    found = OTELResourceDetector().detect().attributes.get(INSTANCE)
    return None if found is None else str(found)


def resource_of_spans(service: str) -> Resource:
    """The same with the host and the interpreter, which metrics of a group of processes do not have.

    The process's id is not among them: a forked child keeps its parent's resource.
    """
    found = {
        "host.name": socket.gethostname(),
        "process.executable.name": Path(sys.executable or "").name,
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
        "process.runtime.description": sys.version,
    }
    return Resource({name: value for name, value in found.items() if value}).merge(resource_of(service))
