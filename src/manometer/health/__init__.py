"""Health checks: named functions that say whether something works, run in the background, results kept."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry

from manometer.errors import BindingError
from manometer.health.about import About
from manometer.health.check_state import LIVE, READY, STARTUP, TIMEOUT, Check
from manometer.health.checks import Checks
from manometer.health.finding import RESPONSE_TIME, Finding
from manometer.health.lifecycle import Lifecycle, Phase
from manometer.health.on_loop import is_coroutine_function, running_loop
from manometer.health.verdict import Verdict, verdict

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = [
    "LIVE",
    "READY",
    "RESPONSE_TIME",
    "STARTUP",
    "About",
    "Check",
    "Checks",
    "Finding",
    "Lifecycle",
    "Phase",
    "Verdict",
    "check",
    "lifecycle",
    "running_loop",
    "verdict",
]


def check(
    name: str,
    function: Callable[[], Any],
    *,
    critical: bool = True,
    groups: Iterable[str] = (READY,),
    interval: float | None = None,
    timeout: float = TIMEOUT,
    loop: "AbstractEventLoop | None" = None,
    registry: CollectorRegistry = REGISTRY,
) -> "Check":
    """Have a started Manometer run `function` every so often, in the place of any check of that name.

    function: returns None or True when all is well; False, a reason as text, or an exception is a failure. A Finding
    tells what was measured besides. It runs in a thread, and never twice at once. A coroutine runs on `loop`.
    critical: whether its groups fail while the check does, or has not run yet.
    groups: the pages that it matters to: `ready` is `/readyz`; `live` is `/livez`, whose failure has the program
    killed; `startup` is `/startupz`, and waits until the check has passed once. Any other is `/health?group=...`.
    interval: seconds from the start of a run to the next one's; by default the settings' `health_interval`.
    timeout: seconds after which a run counts as failed. A function runs on all the same, and no other run begins
    before it returns; a coroutine is cancelled.
    loop: where coroutines run; by default the event loop that runs the caller.
    Raises BindingError where the name is empty, the function is none, a coroutine function has no loop, a group is
    none, or a number of seconds is not over 0.
    """
    run, subjects = (function.function, function.subjects) if isinstance(function, About) else (function, {})
    if not isinstance(name, str) or not name:
        raise BindingError(f"the name of a health check is {name!r}; give it a short name, as text")
    if not callable(function):
        raise BindingError(f"health check {name!r} is no function; pass one that returns None or a reason")
    for what, seconds in (("interval", interval), ("timeout", timeout)):
        if seconds is not None and not seconds > 0:
            raise BindingError(f"health check {name!r} has the {what} {seconds!r}; pass seconds over 0")
    groups = [groups] if isinstance(groups, str) else [*groups]
    if not groups or not all(isinstance(each, str) and each for each in groups):
        raise BindingError(f"health check {name!r} has the groups {groups!r}; name one at least, such as 'ready'")
    loop = running_loop() if loop is None else loop
    if loop is None and is_coroutine_function(run):
        raise BindingError(
            f"health check {name!r} is a coroutine function, and no event loop runs here; "
            "register it in a coroutine of the program, or pass loop=..."
        )
    checks = Checks.on(registry)
    return checks.add(Check(checks, name, run, critical, interval, timeout, groups, loop, subjects))


def lifecycle(registry: CollectorRegistry = REGISTRY) -> Lifecycle:
    """What the program says of its own life, which `/startupz` and `/readyz` follow; see Lifecycle.

    life = manometer.lifecycle()
    life.starting()
    manometer.start()  # not ready yet
    load_everything()
    life.ready()
    """
    return Checks.on(registry).lifecycle
