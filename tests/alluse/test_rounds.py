"""Tests of alluse.rounds."""

from itertools import groupby

import pytest

from alluse.faults import Fault, Faults
from alluse.rounds import QUIET, ROUNDS, Rounds


@pytest.fixture
def faults(clock) -> Faults:
    """No fault is on."""
    return Faults(clock)


def _on(faults: Faults) -> dict[str, float]:
    return {name: active.rate for name, active in faults.active().items()}


def test_faults_come_and_go_in_turn(clock, faults: Faults):
    """Each after a while of quiet, for its time, and the first one again after the last."""
    rounds = Rounds(faults, [Fault("slow-broker", 0.3, 20.0), Fault("cold-cache", 0.5, 10.0)], clock)
    seen = []
    for _ in range(100):
        rounds.tick()
        seen.append(tuple(_on(faults)))
        clock.now += 1
    told = [(names, len(list(each))) for names, each in groupby(seen)]
    quiet = int(QUIET)
    assert told[:5] == [
        ((), quiet),
        (("slow-broker",), 20),
        ((), quiet),
        (("cold-cache",), 10),
        ((), quiet),
    ]
    assert told[5][0] == ("slow-broker",)


def test_next_fault_and_its_time_are_known(clock, faults: Faults):
    """So that they can be announced."""
    rounds = Rounds(faults, clock=clock)
    assert (rounds.next, rounds.due) == (ROUNDS[0], clock.now + QUIET)
    clock.now = rounds.due
    rounds.tick()
    assert _on(faults) == {ROUNDS[0].name: ROUNDS[0].rate}
    assert rounds.next == ROUNDS[1]


def test_fault_that_somebody_switched_off_stays_off(clock, faults: Faults):
    """Until its turn comes again."""
    rounds = Rounds(faults, clock=clock)
    clock.now = rounds.due
    rounds.tick()
    faults.stop(ROUNDS[0].name)
    clock.now += 1
    rounds.tick()
    assert _on(faults) == {}


def test_rounds_end_by_themselves(clock, faults: Faults):
    """None of them ends the process, none lasts, and none strikes every time."""
    assert all(fault.seconds and fault.rate < 1 and fault.name != "crash" for fault in ROUNDS)
