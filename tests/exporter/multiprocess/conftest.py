"""What every test of several processes has."""

import pytest

from mmaps import closed_files


@pytest.fixture(autouse=True)
def _closed_files():
    """No test leaves prometheus-client's files open."""
    with closed_files():
        yield
