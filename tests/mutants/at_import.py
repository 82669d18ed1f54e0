"""A plugin of pytest: what ran while the tests were imported is reached by each of them, not by the first alone.

mutmut tries a mutant with the tests that reach its function, and would have it that import is a part of the first.
"""

from mutmut.state import state

_reached: set[str] = set()


def pytest_collection_finish():
    """The tests have been imported, and no one has run."""
    _reached.update(state()._stats)


def pytest_runtest_setup():
    """A test begins."""
    state()._stats.update(_reached)
