"""What becomes of what is sent: counted by outcome, and told of when it begins to fail and when it works again."""

import logging
from collections.abc import Callable
from threading import local

from manometer.meters.counter import Counter
from manometer.otlp.answers import Answers

__all__ = ["Outcomes", "quieten"]

_log = logging.getLogger("manometer")


class Outcomes:
    """Those of one kind of telemetry to one receiver.

    counter: counts what was sent by its outcome; name: what the log calls it; receiver: its name in the log.
    consequence: what the log says of what does not arrive.
    """

    def __init__(self, counter: Counter, name: str, answers: Answers, receiver: str, consequence: str) -> None:
        self._counter, self._answers = counter, answers
        self._name, self._receiver, self._consequence = name, receiver, consequence
        self.fails = False
        """Whether what was sent last did not get to the receiver."""

    def of(self, number: int, send: Callable[[], bool]) -> bool:
        """Send so many; whether the receiver answered with success. An exporter's own log lines are kept back."""
        _quiet.on = True
        self._answers.listen()
        try:
            succeeded = send()
        except Exception:  # as some versions of an exporter do where there is no connection
            succeeded = False
        finally:
            _quiet.on = False
            answer = self._answers.ignore()
        self._heard(succeeded)
        rejected = self._answers.rejected(answer, number) if succeeded else 0
        for outcome, those in (("ok" if succeeded else "error", number - rejected), ("rejected", rejected)):
            if those:
                self._counter.labels(outcome).inc(those)
        return succeeded

    def lost(self, number: int = 1) -> None:
        """So many will not be sent."""
        self._counter.labels("error").inc(number)

    def _heard(self, succeeded: bool) -> None:
        if not succeeded and not self.fails:
            _log.warning("%s do not reach %s; %s", self._name, self._receiver, self._consequence)
        elif self.fails and succeeded:
            _log.info("%s reach %s again", self._name, self._receiver)
        self.fails = not succeeded


class _Quiet(local):
    on = False


_quiet = _Quiet()


def _not_quiet(_: logging.LogRecord) -> bool:
    return not _quiet.on


def quieten(logger: str) -> None:
    """Keep back the exporters' own lines for what fails here; those of other exporters in the program stay."""
    logging.getLogger(logger).addFilter(_not_quiet)
