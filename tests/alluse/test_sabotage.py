"""Tests of alluse.sabotage."""

from collections.abc import Iterator

import pytest

from alluse.book import Book
from alluse.faults import Fault, Faults
from alluse.loop import Loop
from alluse.sabotage import Sabotage
from waiting import until


@pytest.fixture
def faults() -> Faults:
    """No fault is on."""
    return Faults()


@pytest.fixture
def loop() -> Iterator[Loop]:
    """An event loop in its thread."""
    loop = Loop("test-loop")
    yield loop
    loop.close()


@pytest.fixture
def sabotage(faults: Faults, loop: Loop, book: Book) -> Iterator[Sabotage]:
    """What does the faults."""
    sabotage = Sabotage(faults, loop, book)
    yield sabotage
    sabotage.close()


def test_exhausted_pool_has_its_connections_held_and_given_back(sabotage: Sabotage, faults: Faults, book: Book):
    """All three at rate 1, two of three at a half, none afterwards."""
    faults.start(Fault("exhausted-pool"))
    until(lambda: book.engine.pool.checkedout() == 3)
    faults.start(Fault("exhausted-pool", 0.5))
    until(lambda: book.engine.pool.checkedout() == 2)
    faults.stop("exhausted-pool")
    until(lambda: book.engine.pool.checkedout() == 0)


def test_closing_gives_connections_back(sabotage: Sabotage, faults: Faults, book: Book):
    """Whatever is on."""
    faults.start(Fault("exhausted-pool"))
    until(lambda: book.engine.pool.checkedout() == 3)
    sabotage.close()
    assert book.engine.pool.checkedout() == 0


def test_leaking_memory_is_kept_and_let_go(sabotage: Sabotage, faults: Faults):
    """It grows while the fault is on."""
    faults.start(Fault("leaking-memory", 0.01))
    until(lambda: sabotage.leaked >= 80_000)
    faults.stop("leaking-memory")
    until(lambda: sabotage.leaked == 0)


def test_stalled_loop_runs_nothing_meanwhile(sabotage: Sabotage, faults: Faults, loop: Loop, monkeypatch):
    """The loop is blocked from within, and is itself again afterwards."""
    stalls: list[float] = []
    monkeypatch.setattr(loop, "stall", stalls.append)
    faults.start(Fault("stalled-loop", 0.8))
    until(lambda: len(stalls) >= 2)
    assert stalls[0] == pytest.approx(0.8 * 0.25)
    faults.stop("stalled-loop")


def test_crash_comes_after_what_is_to_precede_it(sabotage: Sabotage, faults: Faults):
    """Only while the fault is on."""
    done: list[str] = []
    sabotage.before_crash = lambda: done.append("before")
    sabotage.crash = lambda: done.append("crash")
    sabotage.strike()
    assert done == []
    faults.start(Fault("crash"))
    sabotage.strike()
    assert done == ["before", "crash"]
