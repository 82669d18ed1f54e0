"""Tests of alluse.checks."""

from types import SimpleNamespace

from pybreaker import CircuitBreaker
from sqlalchemy import QueuePool, create_engine

from alluse.book import PoolTimeoutError
from alluse.checks import watch
from manometer import instrument_breaker, instrument_pool
from manometer.health import Checks


def test_book_that_is_closed_under_its_check_is_no_failure(registry):
    """The answer of a check that was under way means nothing by then; before, it does."""

    def ping():
        raise PoolTimeoutError("no connection")

    pool = create_engine("sqlite://", poolclass=QueuePool)
    breaker = CircuitBreaker()
    instrument_pool(pool, name="broker", registry=registry)
    instrument_breaker(breaker, name="broker", registry=registry)
    book = SimpleNamespace(folder=None, engine=pool)
    undo = watch(SimpleNamespace(book=book, breaker=breaker, ping=ping), registry)
    under_way = next(check._execution._function for check in Checks.on(registry).all() if check.name == "book")
    assert under_way() == "the book does not answer: no connection"
    for each in undo:
        each()
    assert under_way() is None
