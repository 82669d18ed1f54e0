"""Tests of alluse.checks."""

from types import SimpleNamespace
from typing import NamedTuple

from alluse.book import PoolTimeoutError
from alluse.checks import Processor, watch
from manometer.health import Checks


class Times(NamedTuple):
    """What a processor spent its seconds on."""

    user: float
    system: float
    idle: float
    iowait: float
    guest: float


def test_processor_is_judged_by_a_second_or_more(clock):
    """A moment after the start there is nothing to say, however busy that moment was."""
    readings = iter([Times(10, 5, 100, 1, 9), Times(20, 8, 100, 1, 9)])
    processor = Processor(clock, lambda: next(readings))
    clock.now += 0.005
    assert processor.problem() is None
    clock.now += 0.995
    assert processor.problem() == "100 % of the processor is used"


def test_processor_is_judged_by_what_came_since_the_last_reading(clock):
    """Waiting for a disk is idle, and a guest's time counts once."""
    readings = iter(
        [Times(0, 0, 0, 0, 0), Times(95, 0, 4, 1, 95), Times(184, 0, 15, 1, 184), Times(184, 0, 15, 1, 184)]
    )
    processor = Processor(clock, lambda: next(readings))
    told = []
    for _ in range(3):
        clock.now += 30
        told.append(processor.problem())
    assert told == ["95 % of the processor is used", None, None]


def test_processor_of_this_machine_is_read():
    """By whatever times its system tells."""
    moments = iter([0.0, 1.0])
    assert Processor(lambda: next(moments)).problem() in {None, "100 % of the processor is used"} | {
        f"{share} % of the processor is used" for share in range(90, 100)
    }


def test_book_that_is_closed_under_its_check_is_no_failure(registry):
    """The answer of a check that was under way means nothing by then; before, it does."""

    def ping():
        raise PoolTimeoutError("no connection")

    undo = watch(SimpleNamespace(book=SimpleNamespace(folder=None), ping=ping), registry)
    under_way = next(check._function for check in Checks.on(registry).all() if check.name == "book")
    assert under_way() == "the book does not answer: no connection"
    for each in undo:
        each()
    assert under_way() is None
