"""Who is told: a receiver of Alertmanager's webhooks that keeps every notification as it came."""

import json
from threading import Lock
from typing import NamedTuple

from posted import Catcher

__all__ = ["Notification", "Pager"]


class Notification(NamedTuple):
    """One message about a job, or about the service of that name. firing, resolved: names of the alerts in it."""

    job: str
    receiver: str
    firing: frozenset[str]
    resolved: frozenset[str]


class Pager:
    """address: where Alertmanager sends to."""

    def __init__(self):
        self._kept, self._lock = [], Lock()
        catcher = Catcher(self._take)
        self.address, self.close = catcher.url.removeprefix("http://"), catcher.close

    def of(self, job):
        """The notifications about a job, the oldest first."""
        with self._lock:
            return [each for each in self._kept if each.job == job]

    def _take(self, path, headers, body):
        told = json.loads(body)
        states = {"firing": set(), "resolved": set()}
        for alert in told["alerts"]:
            states[alert["status"]].add(alert["labels"]["alertname"])
        job = told["commonLabels"].get("job") or told["commonLabels"].get("service", "")
        with self._lock:
            self._kept.append(Notification(job, told["receiver"], *map(frozenset, states.values())))
