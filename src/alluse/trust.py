"""HITLTrustSystem: decides alone or asks a human, by a trust score that outcomes move."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from enum import StrEnum
from itertools import count
from threading import Lock
from typing import NamedTuple

from alluse.faults import Faults
from alluse.loop import Loop
from alluse.rules import Step

__all__ = ["Approval", "HITLTrustSystem", "Question", "ScriptedApprover"]

_ENOUGH = 0.35  # trust from which on the engine may decide alone
_WEIGHT = 0.002  # of one outcome in the score: it goes by some 500
_CHECKED = 100  # each so manieth decision is shown to the human whatever the score
_ALONE_AT_MOST = 5_000_000.0  # USD that the engine may put at stake without asking
_NEVER_OVER = 50_000_000.0  # USD that the human never approves
_SLOW = 30.0  # seconds that a slow human takes longer


class Approval(StrEnum):
    """How a decision came about, or why it did not."""

    ALONE = "alone"
    APPROVED = "approved"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"


class Question(NamedTuple):
    """Steps that the human is asked about. answer: where it goes; done where whoever asked has given up."""

    steps: Sequence[Step]
    answer: asyncio.Future[Approval]


class ScriptedApprover:
    """Stands in for the human: answers one question after the other, each after a delay, by a fixed script.

    loop: where the human works; inbox: the questions that wait for the human, at most `waiting`. A full inbox refuses
    a question at once: its asker would give up before the question's turn comes, and until then does no other work.
    """

    def __init__(self, loop: Loop, faults: Faults, *, delay: float = 0.0, waiting: int = 8) -> None:
        self.inbox: asyncio.Queue[Question] = asyncio.Queue(waiting)
        self._loop, self._faults, self._delay = loop, faults, delay
        loop.submit(self._work())

    def ask(self, steps: Sequence[Step]) -> Future[Approval]:
        """Put a question into the inbox. Cancel the future to give up: the human then skips the question."""
        return self._loop.submit(self._ask(steps))

    async def _ask(self, steps: Sequence[Step]) -> Approval:
        question = Question(steps, self._loop.asyncio.create_future())
        try:
            self.inbox.put_nowait(question)
        except asyncio.QueueFull:
            return Approval.REFUSED
        return await question.answer

    async def _work(self) -> None:
        while True:
            steps, answer = await self.inbox.get()
            if not answer.done():
                await self._think(answer)
            if not answer.done():
                # Yes, unless more is at stake than is ever allowed.
                answer.set_result(Approval.DECLINED if _stake(steps) > _NEVER_OVER else Approval.APPROVED)

    async def _think(self, answer: asyncio.Future[Approval]) -> None:
        if self._faults.strikes("stuck-human"):
            await self._pause("stuck-human", answer.done)
        if self._faults.strikes("slow-human"):
            end = time.monotonic() + _SLOW
            await self._pause("slow-human", lambda: time.monotonic() >= end)
        await asyncio.sleep(self._delay)

    async def _pause(self, fault: str, over: Callable[[], bool]) -> None:
        while self._faults.rate(fault) and not over():  # noqa: ASYNC110 - the fault ends on a thread, or by the clock
            await asyncio.sleep(0.05)


class HITLTrustSystem:
    """The human in the loop. Safe for many threads.

    patience: seconds to wait for an answer. No answer is a no: the steps are then not taken.
    """

    def __init__(self, approver: ScriptedApprover, *, patience: float = 2.0, score: float = 0.6) -> None:
        self._approver = approver
        self._patience = patience
        self._decisions = count(1)
        self._lock = Lock()
        self.score = score
        self.decided: Callable[[Approval], None] = _nothing

    def seek(self, steps: Sequence[Step]) -> Approval:
        """Have the steps decided: alone, or by the human within the patience."""
        checked = next(self._decisions) % _CHECKED == 0
        if self.score >= _ENOUGH and not checked and _stake(steps) <= _ALONE_AT_MOST:
            approval = Approval.ALONE
        else:
            approval = self._ask(steps)
        self.decided(approval)
        return approval

    def learned(self, good: bool) -> None:
        """An outcome is known: it moves the score towards 1 or 0."""
        with self._lock:
            self.score += _WEIGHT * ((1.0 if good else 0.0) - self.score)

    def _ask(self, steps: Sequence[Step]) -> Approval:
        question = self._approver.ask(steps)
        try:
            return question.result(self._patience)
        except (TimeoutError, CancelledError):
            question.cancel()
            return Approval.TIMED_OUT


def _stake(steps: Sequence[Step]) -> float:
    return sum(step.stake for step in steps)


def _nothing(_approval: Approval) -> None:
    """Nobody counts."""
