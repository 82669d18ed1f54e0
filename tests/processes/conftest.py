"""Reads what is written, and closes what prometheus-client leaves open."""

import pytest
from prometheus_client import values

from messages import families, messages

__all__ = ["families", "messages"]


@pytest.fixture(autouse=True)
def _close_theirs():
    """Close the files that prometheus-client keeps open, which can be more than a process may have."""
    yield
    getattr(values, "close_all_multiprocess_files", list)()  # before 0.26 the garbage collector does
