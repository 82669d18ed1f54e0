"""What the tests of health share."""

import pytest
from prometheus_client import CollectorRegistry

from checking import Rig


@pytest.fixture
def registry():
    """A registry of its own."""
    return CollectorRegistry()


@pytest.fixture
def rig(figures):
    """Checks under control."""
    return Rig(figures.registry)
