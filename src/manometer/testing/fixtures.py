"""Fixtures for pytest. A `conftest.py` has them by `from manometer.testing.fixtures import figures`.

They are no plugin that pytest finds by itself: pytest would rewrite every module of the kit, for everybody's tests.
"""

import pytest

from manometer.testing.figures import Figures

__all__ = ["figures"]


@pytest.fixture
def figures() -> Figures:
    """The figures of a fresh registry."""
    return Figures()
