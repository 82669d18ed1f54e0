"""Which alert is raised where several tell of one fault: the one nearest to its cause, and not the others meanwhile.

Alertmanager's inhibition cannot do this: it never tells the end of an alert that ended while it was inhibited, so its
ticket stays open. An alert that Prometheus ends is told as resolved.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from manometer.catalogue import label
from manometer.mixin.promql import TARGET, WINDOW, any_of, by, over, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record

__all__ = ["CAUSES", "PRECEDENCE", "PROMISES_BURN", "Precedence", "unpromised", "untold", "with_precedence"]


@dataclass(frozen=True, slots=True)
class Precedence:
    """While one of `greater` fires, `lesser` are not raised for the same `of`: attributes or labels that both have.

    greater: names of alerts. lesser: names, or keys such as `EngineErrorBudgetBurn.slow`.
    workers: whether the greater ones are of what workers wait for, and the lesser ones of pools of workers alone.
    lately: whether the greater alert counts for five minutes more, as long as the rate of the lesser one looks back.
    Otherwise, of a name that is in both, the greater alert is the critical one.
    """

    greater: tuple[str, ...]
    lesser: tuple[str, ...]
    of: tuple[str, ...]
    workers: bool = False
    lately: bool = False

    def told(self, lesser: str) -> str:
        """What holds the lesser alert back, and by which labels."""
        if self.workers:
            # Both begin to hold at once where threads wait for connections, so the greater one counts from then on.
            waited_for = {"alertname": any_of(self.greater), "pool.kind": "!=worker"}
            kind = label("pool.kind")
            # Counted first, as several pools of a target may be short at once.
            alerts = (
                f'label_replace({by(self.of, select("ALERTS", waited_for), "count")}, "{kind}", "worker", "", "")'
            )
            return f"on ({_labels((*self.of, kind))}) {alerts}"
        severity = {"severity": "critical"} if lesser in self.greater else {}
        firing = {"alertname": any_of(self.greater), "alertstate": "firing", **severity}
        alerts = select("ALERTS", firing)
        return f"on ({_labels(self.of)}) {over('last', alerts, WINDOW) if self.lately else alerts}"


_POOL = (*TARGET, "pool.name", "pool.kind")
_QUEUE = (*TARGET, "queue.name")

PRECEDENCE = (
    Precedence(("PoolTimeouts",), ("PoolSaturated",), _POOL),
    Precedence(("PoolTimeouts", "PoolSaturated"), ("PoolWaitHigh", "PoolExhaustionForecast"), _POOL),
    # Threads that wait for connections keep other tasks waiting for a thread.
    Precedence(
        ("PoolTimeouts", "PoolSaturated", "PoolWaitHigh"), ("PoolSaturated", "PoolWaitHigh"), TARGET, workers=True
    ),
    Precedence(("QueueRefusals",), ("QueueSaturated",), _QUEUE),
    Precedence(("QueueRefusals", "QueueSaturated"), ("QueueWaitHigh",), _QUEUE),
    Precedence(
        ("EngineErrorBudgetBurn",), ("EngineErrorBudgetBurn.slow",), ("job", "engine.name", "engine.stage.name")
    ),
    # The program says what its checks need: `checks.about`.
    Precedence(("PoolTimeouts",), ("HealthCheckFailing",), (*TARGET, "pool.name")),
    Precedence(("BreakerOpen",), ("HealthCheckFailing",), (*TARGET, "breaker.name")),
    Precedence(("ContainerMemoryHigh",), ("ContainerMemoryHigh.soft", "MemoryHigh"), TARGET),
    Precedence(("BreakerOpen", "PoolTimeouts"), ("RetriesExhausted",), TARGET, lately=True),
    # Everything on a loop that is blocked is late, and what waits for a pool, a queue or a breaker is too.
    Precedence(("EventLoopLagHigh",), ("StageStuck", "PoolWaitHigh", "QueueWaitHigh"), TARGET),
    Precedence(
        ("EventLoopLagHigh", "StageStuck", "PoolTimeouts", "QueueRefusals", "BreakerOpen"),
        ("EngineLatencyHigh",),
        TARGET,
    ),
)
"""The pairs; a cause comes before what it brings about."""


CAUSES = ("BreakerOpen", "CrashLooping", "HealthCheckFailing", "PoolTimeouts", "QueueRefusals")
"""Pages about a target that say why its work fails."""


def untold(failing: str) -> str:
    """Those of the failing targets that no page has been about lately, so that a burn of a budget has to be told.

    A burn is the sum of many targets: it is not held back for the fault of one of them. A page counts for as long as
    the failures before its end are in a rate.
    """
    page = {"alertname": any_of(CAUSES), "alertstate": "firing", "severity": "critical"}
    return f"{failing}\nunless on ({_labels(TARGET)}) {over('last', select('ALERTS', page), WINDOW)}"


PROMISES_BURN = recorded(("job", "service"), "slo_objectives", "burning")
"""How many objectives of a service of a job burn, or begin to, by the severity of their alert."""


def unpromised(burning: str, severity: str = "") -> str:
    """A stage's burn, but where the service that the job belongs to has promised something, which burns too.

    Its makers have said there what may fail, and who is told. severity: that of the promise's burn; any by default.
    """
    return f"({burning})\nunless on (job) {select(PROMISES_BURN, {'severity': severity} if severity else {})}"


def with_precedence(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups, with every alert held back while a greater one fires."""
    return tuple(replace(group, rules=tuple(map(_held_back, group.rules))) for group in groups)


def _held_back(rule: Record | Alert) -> Record | Alert:
    if isinstance(rule, Record):
        return rule
    expr = rule.expr
    for each in PRECEDENCE:
        if {rule.name, rule.key} & {*each.lesser}:
            expr = f"({expr})\nunless {each.told(rule.name)}"
    return replace(rule, expr=expr)


def _labels(names: Iterable[str]) -> str:
    return ", ".join(map(label, names))
