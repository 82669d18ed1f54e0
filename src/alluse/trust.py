"""HITLTrustSystem: decides alone or asks a human, by a trust score that outcomes move."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from enum import StrEnum
from itertools import count
from threading import Lock

from alluse.faults import Faults
from alluse.loop import Loop
from alluse.rules import Step

__all__ = ["Approval", "HITLTrustSystem", "ScriptedApprover"]

_ENOUGH = 0.35  # trust from which on the engine may decide alone
_WEIGHT = 0.002  # of one outcome in the score: it goes by some 500
_CHECKED = 100  # each so manieth decision is shown to the human whatever the score
_ALONE_AT_MOST = 5_000_000.0  # USD that the engine may put at stake without asking
_NEVER_OVER = 50_000_000.0  # USD that the human never approves


class Approval(StrEnum):
    """How a decision came about, or why it did not."""

    ALONE = "alone"
    APPROVED = "approved"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"


class ScriptedApprover:
    """Stands in for the human: answers one question after the other, each after a delay, by a fixed script."""

    def __init__(self, delay: float, faults: Faults) -> None:
        self._delay = delay
        self._faults = faults
        self._turn = asyncio.Lock()

    async def answer(self, steps: Sequence[Step]) -> Approval:
        """Say yes unless more is at stake than is ever allowed."""
        async with self._turn:
            if self._faults.strikes("stuck-human"):
                while self._faults.rate("stuck-human"):  # noqa: ASYNC110 - the fault ends on a thread, or by the clock
                    await asyncio.sleep(0.05)
            await asyncio.sleep(self._delay)
        return Approval.DECLINED if _stake(steps) > _NEVER_OVER else Approval.APPROVED


class HITLTrustSystem:
    """The human in the loop. Safe for many threads.

    loop: where the approver works; patience: seconds to wait for an answer.
    """

    def __init__(self, approver: ScriptedApprover, loop: Loop, *, patience: float = 2.0, score: float = 0.6) -> None:
        self._approver = approver
        self._loop = loop
        self._patience = patience
        self._decisions = count(1)
        self._lock = Lock()
        self.pending = 0  # questions that wait for the human now
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
        with self._lock:
            self.pending += 1
        try:
            question = self._loop.submit(self._approver.answer(steps))
            try:
                return question.result(self._patience)
            except (TimeoutError, CancelledError):
                question.cancel()
                return Approval.TIMED_OUT
        finally:
            with self._lock:
                self.pending -= 1


def _stake(steps: Sequence[Step]) -> float:
    return sum(step.stake for step in steps)


def _nothing(_approval: Approval) -> None:
    """Nobody counts."""
