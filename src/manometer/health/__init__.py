"""Health checks: named functions that say whether something works, run in the background, results kept."""

from collections.abc import Callable
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import BindingError
from manometer.health.check_state import TIMEOUT, Check
from manometer.health.checks import Checks
from manometer.health.lifecycle import Lifecycle, Phase

__all__ = ["Check", "Checks", "Lifecycle", "Phase", "check", "lifecycle"]


def check(
    name: str,
    function: Callable[[], Any],
    *,
    critical: bool = True,
    interval: float | None = None,
    timeout: float = TIMEOUT,
    registry: CollectorRegistry = REGISTRY,
) -> "Check":
    """Have a started Manometer run `function` every so often, in the place of any check of that name.

    function: returns None or True when all is well; False, a reason as text, or an exception is a
    failure. It runs in a thread of its own and never twice at once. A coroutine function runs there on an event
    loop of its own: it must open what it asks, as a connection of the program's loop does not work on another.
    critical: whether the program is not ready while the check fails, or has not run yet.
    interval: seconds from the start of a run to the next one's; by default the settings' `health_interval`.
    timeout: seconds after which a run counts as failed. A function runs on all the same, and no other run begins
    before it returns; a coroutine is cancelled.
    Raises BindingError where the name is empty, the function is none, or a number of seconds is not over 0.
    """
    if not isinstance(name, str) or not name:
        raise BindingError(f"the name of a health check is {name!r}; give it a short name, as text")
    if not callable(function):
        raise BindingError(f"health check {name!r} is no function; pass one that returns None or a reason")
    for what, seconds in (("interval", interval), ("timeout", timeout)):
        if seconds is not None and not seconds > 0:
            raise BindingError(f"health check {name!r} has the {what} {seconds!r}; pass seconds over 0")
    checks = Checks.on(registry)
    return checks.add(Check(checks, name, function, critical, interval, timeout))


def lifecycle(registry: CollectorRegistry = REGISTRY) -> Lifecycle:
    """What the program says of its own life, which `/startupz` and `/readyz` follow; see Lifecycle.

    life = manometer.lifecycle()
    life.starting()
    manometer.start()  # not ready yet
    load_everything()
    life.ready()
    """
    return Checks.on(registry).lifecycle
