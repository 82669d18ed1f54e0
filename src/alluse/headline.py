"""The headline: what stands above the demo's table beside its figures, line by line.

A line that begins with `!` stands out, as `manometer top --notes` has it.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from alluse.alerts import Alerts
from alluse.faults import Faults
from alluse.rounds import Rounds

__all__ = ["Headline"]


class Headline:
    """Links, the alerts that fire, and the faults that are on or come next.

    links: lines that stay as they are; faults_url: where faults are switched on; rounds: None where no fault
    comes by itself; alerts: None where nobody evaluates any.
    """

    def __init__(
        self, links: Sequence[str], faults: Faults, faults_url: str, rounds: Rounds | None, alerts: Alerts | None
    ) -> None:
        self._links, self._faults, self._faults_url = tuple(links), faults, faults_url
        self._rounds, self._alerts = rounds, alerts
        self._epoch = time.time() - time.monotonic()

    def lines(self) -> list[str]:
        """The lines as they are now. They change when something happens, and not by the second."""
        return [*self._links, *([] if self._alerts is None else [self._alerts.line()]), self._fault()]

    def _fault(self) -> str:
        active = self._faults.active()
        if active:
            told = [f"{name}={each.rate:g}{self._until(each.until)}" for name, each in sorted(active.items())]
            return f"! fault on: {', '.join(told)}"
        if self._rounds is None:
            return f"no fault is on; switch one on: curl -X PUT {self._faults_url}/slow-broker"
        coming, at = self._rounds.next, self._clock(self._rounds.due)
        return f"no fault is on; {coming.name}={coming.rate:g} comes at {at}  (--calm leaves them out)"

    def _until(self, at: float) -> str:
        return "" if at - time.monotonic() > 86_400 else f" until {self._clock(at)}"

    def _clock(self, at: float) -> str:
        return datetime.fromtimestamp(at + self._epoch).astimezone().strftime("%H:%M:%S")
