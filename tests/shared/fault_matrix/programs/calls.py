"""Troubles of code that is called and fails, or says too much."""

import time
from collections.abc import Callable
from contextlib import suppress

import tenacity
from prometheus_client import REGISTRY
from switch import PAUSE, Switch

import manometer

__all__ = ["TROUBLES"]


class _PurposeError(Exception):
    pass


def _fail_while(switch: Switch) -> None:
    if switch.on.is_set():
        raise _PurposeError


def collector(switch: Switch) -> Callable[[], None]:
    """Has a collector that raises."""

    class Failing:
        def describe(self):
            return []

        def collect(self):
            _fail_while(switch)
            return []

    REGISTRY.register(Failing())
    return lambda: time.sleep(PAUSE)


def labels(switch: Switch) -> Callable[[], None]:
    """Counts by an id that is new each time."""
    seen = manometer.Counter("seen_ids_total", "By ids without bound.", ["id"], max_series=10)
    numbers = iter(range(10**9))

    def one():
        if switch.on.is_set():
            seen.labels(str(next(numbers))).inc()
        time.sleep(PAUSE)

    return one


def check(switch: Switch) -> Callable[[], None]:
    """Has a check that is not critical, and fails."""
    manometer.check("cellar", lambda: not switch.on.is_set(), critical=False)
    return lambda: time.sleep(PAUSE)


def _again_and_again(call: Callable[[], None]) -> Callable[[], None]:
    def one():
        with suppress(_PurposeError):
            call()
        time.sleep(PAUSE)

    return one


def retries(switch: Switch) -> Callable[[], None]:
    """Calls something that fails however often it is tried."""

    @tenacity.retry(stop=tenacity.stop_after_attempt(3), reraise=True)
    def call():
        _fail_while(switch)

    return _again_and_again(manometer.instrument_retry(call, operation="supplier"))


def stage(switch: Switch) -> Callable[[], None]:
    """Has a stage that fails, and nothing else tells why."""

    @manometer.stage("cook", engine="kitchen")
    def cook():
        _fail_while(switch)

    return _again_and_again(cook)


TROUBLES = {
    "collector": collector,
    "labels": labels,
    "check": check,
    "retries": retries,
    "stage": stage,
    "promised-stage": stage,
}
