"""Tests of alluse.trust and alluse.loop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from alluse.faults import Fault, Faults
from alluse.loop import Loop
from alluse.orders import Action
from alluse.pricing import Right
from alluse.rules import Step
from alluse.trust import Approval, HITLTrustSystem, ScriptedApprover
from waiting import DEADLINE, joined, until

SMALL = [Step(Action.OPEN, Right.PUT, 100.0, -10, 1.0)]  # 100,000 USD
LARGE = [Step(Action.OPEN, Right.PUT, 100.0, -600, 1.0)]  # 6 million
HUGE = [Step(Action.OPEN, Right.PUT, 1000.0, -600, 1.0)]  # 60 million


@pytest.fixture
def loop() -> Iterator[Loop]:
    """An event loop in its thread."""
    loop = Loop("test-loop")
    yield loop
    loop.close()


@pytest.fixture
def faults() -> Faults:
    """No fault is on."""
    return Faults()


@pytest.fixture
def trust(loop: Loop, faults: Faults) -> HITLTrustSystem:
    """A trusted engine, and a human who answers at once."""
    return HITLTrustSystem(ScriptedApprover(loop, faults), patience=0.1)


def test_trusted_engine_decides_small_things_alone(trust: HITLTrustSystem):
    """What is at stake is within what it may decide."""
    assert trust.seek(SMALL) is Approval.ALONE


def test_human_is_asked_about_large_things(trust: HITLTrustSystem):
    """The script says yes, unless more is at stake than is ever allowed."""
    assert trust.seek(LARGE) is Approval.APPROVED
    assert trust.seek(HUGE) is Approval.DECLINED


def test_buying_back_puts_nothing_at_stake(trust: HITLTrustSystem):
    """Closing a large lot needs nobody's leave."""
    assert trust.seek([Step(Action.CLOSE, Right.PUT, 1000.0, 600, 1.0)]) is Approval.ALONE


def test_each_hundredth_decision_is_checked(trust: HITLTrustSystem):
    """However small, and however much the engine is trusted."""
    decisions = [trust.seek(SMALL) for _ in range(200)]
    assert [at for at, each in enumerate(decisions, 1) if each is Approval.APPROVED] == [100, 200]


def test_outcomes_move_the_score(trust: HITLTrustSystem):
    """A run of bad ones has the human asked about everything; good ones win the trust back."""
    for _ in range(400):
        trust.learned(good=False)
    assert trust.score < 0.35
    assert trust.seek(SMALL) is Approval.APPROVED
    for _ in range(400):
        trust.learned(good=True)
    assert trust.seek(SMALL) is Approval.ALONE


def test_no_outcome_is_lost_among_threads(trust: HITLTrustSystem, monkeypatch):
    """Two that learn at once both move the score, wherever the one interrupts the other."""
    met = threading.Barrier(2)

    class Meeting(float):
        """A weight that lets another thread come in between reading the score and writing it."""

        def __mul__(self, other: float) -> float:
            with suppress(threading.BrokenBarrierError):
                met.wait(0.2)
            return float(self) * other

    monkeypatch.setattr("alluse.trust._WEIGHT", Meeting(0.5))
    threads = [threading.Thread(target=trust.learned, args=(True,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert trust.score == pytest.approx(0.9)


def test_stuck_human_is_waited_for_and_given_up(trust: HITLTrustSystem, faults: Faults):
    """The patience ends the wait; when the human is back, answers come again."""
    faults.start(Fault("stuck-human"))
    assert trust.seek(LARGE) is Approval.TIMED_OUT
    faults.stop("stuck-human")
    until(lambda: trust.seek(LARGE) is Approval.APPROVED)


@contextmanager
def _asked(trust: HITLTrustSystem, times: int) -> Iterator[list[Approval]]:
    """Threads that ask about something large; at the end of the block all of them have what they got."""
    answers: list[Approval] = []
    threads = [threading.Thread(target=lambda: answers.append(trust.seek(LARGE))) for _ in range(times)]
    for thread in threads:
        thread.start()
    yield answers
    joined(*threads)


def test_questions_wait_in_the_inbox(loop: Loop, faults: Faults):
    """Of three that are asked the human looks at one; each has its answer in the end."""
    faults.start(Fault("stuck-human"))
    approver = ScriptedApprover(loop, faults)
    with _asked(HITLTrustSystem(approver, patience=30), 3) as answers:
        until(lambda: approver.inbox.qsize() == 2)
        faults.stop_all()
    assert answers == [Approval.APPROVED] * 3
    assert approver.inbox.qsize() == 0


def test_full_inbox_refuses_at_once(loop: Loop):
    """Nobody waits for an answer that would come too late; what is in the inbox already is not lost."""
    thinking = threading.Event()
    faults = Faults(chance=lambda: float(thinking.set() or 0))
    faults.start(Fault("slow-human"))
    approver = ScriptedApprover(loop, faults, waiting=2)
    trust = HITLTrustSystem(approver, patience=30)
    with _asked(trust, 1) as first:
        assert thinking.wait(DEADLINE)
        with _asked(trust, 2) as rest:
            until(approver.inbox.full)
            assert trust.seek(LARGE) is Approval.REFUSED
            faults.stop_all()
    assert first + rest == [Approval.APPROVED] * 3


def test_human_skips_a_question_that_nobody_waits_for(loop: Loop, faults: Faults):
    """Questions pile up while the human is slow; afterwards they hold up nobody."""
    faults.start(Fault("slow-human"))
    approver = ScriptedApprover(loop, faults)
    trust = HITLTrustSystem(approver, patience=0.02)
    until(lambda: trust.seek(LARGE) is Approval.TIMED_OUT and approver.inbox.qsize() >= 3)
    faults.stop_all()
    until(lambda: trust.seek(LARGE) is Approval.APPROVED and approver.inbox.qsize() == 0)


def test_closing_the_loop_answers_who_still_waits(faults: Faults):
    """A question under way is cancelled, which its asker takes as no answer."""
    faults.start(Fault("stuck-human"))
    loop = Loop("test-loop")
    approver = ScriptedApprover(loop, faults)
    with _asked(HITLTrustSystem(approver, patience=30), 2) as answers:
        until(lambda: approver.inbox.qsize() == 1)
        loop.close()
    assert answers == [Approval.TIMED_OUT] * 2
