"""A registry of the test's own."""

import pytest
from prometheus_client import CollectorRegistry


@pytest.fixture
def registry():
    """An empty one."""
    return CollectorRegistry()
