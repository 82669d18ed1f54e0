"""What the tests of the ready-made checks share."""

import pytest
from prometheus_client import CollectorRegistry


@pytest.fixture
def registry():
    """A registry of its own."""
    return CollectorRegistry()
