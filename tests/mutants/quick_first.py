"""A plugin of pytest: the quickest tests come first, so that most mutants are noticed before a slow test begins."""

from mutmut.state import state


def pytest_collection_modifyitems(items):
    """mutmut hands over the tests that reach a mutant in no order."""
    took = state().duration_by_test
    items.sort(key=lambda item: took.get(item.nodeid.removeprefix("mutants/"), 0.0))
