"""What the tests of health share."""

import pytest
from prometheus_client import CollectorRegistry


@pytest.fixture
def registry():
    """A registry of its own."""
    return CollectorRegistry()
