"""The book in a real PostgreSQL, which goes away and comes back."""

import pytest

from alluse.book import Book

pytestmark = pytest.mark.servers

PLACED = 'alluse_workflows_total{outcome="placed"}'
REFUSED = 'alluse_workflows_total{outcome="rejected"}'
OPEN = 'breaker_state{breaker_name="broker",breaker_state="open"}'


def test_the_engine_survives_its_database(postgres, start_engine, eventually):
    """While the database is gone orders fail and are counted; when it is back, they are placed again, all of each."""
    engine = start_engine("--book", postgres.url)
    eventually(lambda: engine.figures()[PLACED] > 5, 60, engine.said)

    postgres.stop()
    eventually(lambda: engine.figures()[OPEN] == 1, 60, engine.said)
    eventually(lambda: engine.figures()[REFUSED] > 5, 60, engine.said)
    placed = engine.figures()[PLACED]
    assert engine.process.poll() is None

    postgres.start()
    eventually(lambda: engine.figures()[OPEN] == 0, 60, engine.said)
    eventually(lambda: engine.figures()[PLACED] > placed + 5, 60, engine.said)

    assert engine.stop() == 0
    assert "Traceback" not in engine.said()
    book = Book(postgres.url)
    try:
        assert book.audit() == []
        assert book.count() > placed
    finally:
        book.close()
