"""The run: programs are started, broken and mended at the same times, while Prometheus and a pager look on."""

import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from fault_matrix.expectations import THRESHOLDS
from fault_matrix.observatory import Observatory
from fault_matrix.pager import Pager
from fault_matrix.subjects import Settings

__all__ = ["Seen", "complaints", "run"]

_BEFORE, _AFTER = 120, 1200  # seconds of production
_TO_TELL = 90  # after the last alert has ended, Alertmanager waits for a minute
_LOOK = 0.5

_RECEIVERS = {"page": "pages", "ticket": "tickets"}
_TOLD = ("critical", "warning")


@dataclass
class Seen:
    """What a fault brought about.

    fired: severities and names of the alerts that fired. pages, tickets: how many notifications told of an alert that
    fires. ended: whether the last notification of each kind told that all is over. lasting: alerts that did not end.
    """

    fired: list[tuple[str, str]] = field(default_factory=list)
    pages: int = 0
    tickets: int = 0
    ended: bool = True
    lasting: list[str] = field(default_factory=list)

    def json(self):
        """For the record."""
        return asdict(self)


def complaints(fault, seen):
    """What the fault raised that it has not to, or did not raise, and how often it told of it."""
    fired, told = {*map(tuple, seen.fired)}, []
    told += [f"{fault.name}: {alert} ({severity}) did not fire" for severity, alert in sorted(fault.alerts - fired)]
    told += [
        f"{fault.name}: {alert} ({severity}) fired"
        for severity, alert in sorted(fired - fault.alerts)
        if severity in _TOLD
    ]
    if seen.pages != bool(fault.page):
        told.append(f"{fault.name}: {seen.pages} pages, not {int(bool(fault.page))}")
    if bool(seen.tickets) != bool(fault.ticket):
        told.append(f"{fault.name}: {seen.tickets} tickets")
    if seen.lasting or not seen.ended:
        told.append(f"{fault.name}: the end was not told, of {', '.join(seen.lasting) or 'what has ended'}")
    return told


def run(root, folder, faults, pace, lasts, *, thresholds=THRESHOLDS, say=lambda text: None):
    """Break the programs of these faults, all at the same time, for so many seconds of production.

    What was seen of each, by name.
    """
    with ExitStack() as started:
        pager = Pager()
        started.callback(pager.close)
        subjects = {}
        for fault in faults:
            settings = Settings(folder / fault.name, pace.seconds(30), pace.seconds(lasts))
            subjects[fault.name] = fault.subject(settings, *fault.arguments, **fault.options)
            started.callback(subjects[fault.name].close)
        (folder / "observatory").mkdir()
        jobs = {name: subject.address for name, subject in subjects.items()}
        observatory = Observatory(root, folder / "observatory", jobs, pager, pace, thresholds)
        started.callback(observatory.close)
        watch = _Watch(observatory, say)
        watch.go_on(pace.seconds(_BEFORE))
        say("the faults begin")
        for subject in subjects.values():
            subject.begin()
        watch.go_on(pace.seconds(lasts))
        say("the faults end")
        for subject in subjects.values():
            subject.end()
        watch.go_on(pace.seconds(_AFTER), until_quiet=True)
        watch.go_on(pace.seconds(_TO_TELL))
        return {name: _seen(watch, pager, name) for name in subjects}


class _Watch:
    """What fires, looked at again and again."""

    def __init__(self, observatory, say):
        self.fired, self.now = defaultdict(set), defaultdict(set)
        self._observatory, self._say = observatory, say

    def go_on(self, seconds, until_quiet=False):
        """Look for so long, or until nothing fires that anybody is told of."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._look()
            if until_quiet and not any(self.told(job) for job in self.now):
                break
            time.sleep(_LOOK)

    def told(self, job):
        """What fires of a job now, of severity critical and warning."""
        return sorted(alert for severity, alert in self.now[job] if severity in _TOLD)

    def _look(self):
        now = defaultdict(set)
        for labels in self._observatory.query('ALERTS{alertstate="firing",severity!="none"}'):
            now[labels.get("job") or labels["service"]].add((labels["severity"], labels["alertname"]))
        for job in sorted({*now, *self.now}):
            for what, alerts in (("begins", now[job] - self.now[job]), ("ends", self.now[job] - now[job])):
                for severity, alert in sorted(alerts):
                    self._say(f"{job}: {alert} ({severity}) {what}")
            self.fired[job] |= now[job]
        self.now = now


def _seen(watch, pager, name):
    told = {receiver: [each for each in pager.of(name) if each.receiver == receiver] for receiver in _RECEIVERS}
    return Seen(
        fired=sorted(watch.fired[name]),
        **{_RECEIVERS[receiver]: sum(bool(each.firing) for each in sent) for receiver, sent in told.items()},
        ended=all(not sent or not sent[-1].firing for sent in told.values()),
        lasting=watch.told(name),
    )
