"""The book in a real PostgreSQL, which goes away and comes back, and a check of it."""

import json
import urllib.error
import urllib.request

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine

from alluse.book import Book
from manometer import Manometer, Settings, check, checks
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

PLACED = 'alluse_workflows_total{outcome="placed"}'
REFUSED = 'alluse_workflows_total{outcome="rejected"}'
OPEN = 'breaker_state{breaker_name="broker",breaker_state="open"}'


def _document(url):
    """Whatever its status."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


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


def test_a_check_of_the_database_follows_it(postgres):
    """By an engine and by a driver: the program is ready, is not, and is again."""
    registry = CollectorRegistry()
    engine = create_engine(postgres.url.replace("postgresql", "postgresql+psycopg"))
    sources = {"engine": engine, "driver": lambda: psycopg.connect(postgres.url, connect_timeout=5)}
    with Manometer(Settings(port=0, health_interval=0.05), registry=registry) as manometer:
        for name, source in sources.items():
            check(name, checks.database(source), registry=registry)

        def statuses():
            document = _document(f"{manometer.url}/health")
            return document["status"], *(entries[0]["status"] for entries in document["checks"].values())

        until(lambda: statuses() == ("pass", "pass", "pass"), statuses)
        postgres.stop()
        until(lambda: statuses() == ("fail", "fail", "fail"), statuses)
        postgres.start()
        until(lambda: statuses() == ("pass", "pass", "pass"), statuses)
    engine.dispose()
