"""Tests of alluse.checks."""

from types import SimpleNamespace

from alluse.book import PoolTimeoutError
from alluse.checks import watch
from manometer.health import Checks


def test_book_that_is_closed_under_its_check_is_no_failure(registry):
    """The answer of a check that was under way means nothing by then; before, it does."""

    def ping():
        raise PoolTimeoutError("no connection")

    undo = watch(SimpleNamespace(book=SimpleNamespace(folder=None), ping=ping), registry)
    under_way = next(check._execution._function for check in Checks.on(registry).all() if check.name == "book")
    assert under_way() == "the book does not answer: no connection"
    for each in undo:
        each()
    assert under_way() is None
