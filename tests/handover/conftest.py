"""A registry as prometheus-client's own is."""

import pytest
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector


@pytest.fixture
def registry():
    """One that measures the process too."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
