"""Collectors that answer when they may."""

import threading
import weakref

from prometheus_client import Metric

from waiting import DEADLINE, until

__all__ = ["Held", "StillClock", "collecting", "released"]

_ALL = weakref.WeakSet()


class Held:
    """A collector that answers when it may."""

    def __init__(self, registry, name="held", *, may=False):
        self.name, self.calls, self.entered = name, 0, threading.Semaphore(0)
        self.may = threading.Event()
        if may:
            self.may.set()
        _ALL.add(self)
        registry.register(self)

    def describe(self):
        return [Metric(self.name, "Help.", "gauge")]

    def collect(self):
        self.calls += 1
        self.entered.release()
        assert self.may.wait(DEADLINE)
        metric = Metric(self.name, "Help.", "gauge")
        metric.add_sample(self.name, {}, self.calls)
        return [metric]


class StillClock:
    """Stands still, so that no machine is too slow for a deadline, until `pass_by` lets the deadline of one pass."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def stands_for(self, monkeypatch, *modules):
        """Be the clock of these modules."""
        for each in modules:
            monkeypatch.setattr(each, "monotonic", self)

    def pass_by(self, held, told):
        """Once the collector is being read: have the others read beside it, and it given up when they have told."""
        assert held.entered.acquire(timeout=DEADLINE)
        self.now += 0.3
        until(told)
        self.now += 100.0


def collecting():
    """How many threads collect."""
    return sum(each.name == "manometer-collect" for each in threading.enumerate())


def released():
    """Let all answer, and wait for their threads."""
    for each in list(_ALL):
        each.may.set()
    _ALL.clear()
    until(lambda: collecting() == 0)
