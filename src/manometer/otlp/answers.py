"""What an OTLP receiver says that it rejects of what it was sent, although it answers with success."""

import logging
from threading import local
from typing import Any

from manometer.otlp.signals import Signal
from manometer.redaction import brief

__all__ = ["Answers"]

_log = logging.getLogger("manometer")


class Answers:
    """The answers of one receiver to one exporter, which itself looks at the status of an answer alone.

    receiver: its name in the log.
    """

    def __init__(self, signal: Signal, receiver: str) -> None:
        self._signal = signal
        self._receiver = receiver
        self._here = _Heard()
        self._has_told = False

    def listen(self) -> None:
        """Hear the answers that this thread gets from now on."""
        self._here.listens, self._here.answer = True, None

    def hear(self, answer: Any) -> None:
        """An answer has come: a response of HTTP, whose content is read after this, or a message."""
        if self._here.listens:
            self._here.answer = answer

    def ignore(self) -> Any:
        """Hear no more on this thread, and return the last answer since `listen`; None where there was none."""
        answer, self._here.listens, self._here.answer = self._here.answer, False, None
        return answer

    def rejected(self, answer: Any, sent: int) -> int:
        """How many of those that were sent the answer rejects. The first time, the log says why."""
        kind = self._signal.answer
        try:
            partial = (answer if isinstance(answer, kind) else kind.FromString(answer.content)).partial_success
        except Exception:  # there was no answer, or another, such as a page of a proxy
            return 0
        rejected: int = min(max(getattr(partial, self._signal.rejected), 0), sent)
        if (rejected or partial.error_message) and not self._has_told:
            self._has_told = True
            why = brief(partial.error_message) or "it does not say why"
            _log.warning("%s rejected %d of %d %s: %s", self._receiver, rejected, sent, self._signal.noun, why)
        return rejected


class _Heard(local):
    listens = False
    answer: Any = None
