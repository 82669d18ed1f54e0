"""Rules of services: how many events each objective has, how fast it spends its error budget, how much is left."""

from collections.abc import Iterable, Iterator

from manometer.mixin.promql import both, over, recorded, select
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, told
from manometer.mixin.slo.burn import FAST, SLOW, WINDOWS, Pace, burn_rate, burning
from manometer.mixin.slo.service import CRITICAL, Objective, Service
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["ERRORS", "EVENTS", "LEFT", "OBJECTIVE", "TARGET_RATIO", "burn", "groups"]

OBJECTIVE = ("service", "objective")
"""The labels of every series of an objective."""

EVENTS = recorded(OBJECTIVE, "slo_events", "rate5m")
ERRORS = recorded(OBJECTIVE, "slo_errors", "rate5m")
TARGET_RATIO = recorded(OBJECTIVE, "slo_target", "ratio")
LEFT = recorded(OBJECTIVE, "slo_error_budget", "left_ratio")


def burn(window: Duration) -> str:
    """The recorded burn rate over a window."""
    return recorded(OBJECTIVE, "slo_error_budget", f"burn_rate{window}")


def groups(config: Thresholds, services: Iterable[Service]) -> tuple[Group, ...]:
    """The rules of each service."""
    return tuple(Group(f"slo-{service.name}", tuple(_rules(service, config))) for service in services)


def _rules(service: Service, config: Thresholds) -> Iterator[Record | Alert]:
    for objective in service.objectives:
        yield from _records(service, objective, config)
        yield from _alerts(service, objective)


def _records(service: Service, objective: Objective, config: Thresholds) -> tuple[Record, ...]:
    whose = {"service": service.name, "objective": objective.name}
    events, errors = select(EVENTS, whose), select(ERRORS, whose)

    def spent(window: Duration) -> str:
        return burn_rate(errors, events, window, config.interval, objective.budget_ratio)

    return (
        Record(EVENTS, objective.indicator.events, whose),
        Record(ERRORS, objective.indicator.errors, whose),
        Record(TARGET_RATIO, f"vector({objective.target_ratio:.9g})", whose),
        *(Record(burn(window), spent(window), whose) for window in WINDOWS),
        Record(LEFT, f"1 - ({spent(objective.window)})", whose),
    )


def _alerts(service: Service, objective: Objective) -> tuple[Alert, ...]:
    whose = {"service": service.name, "objective": objective.name}
    labels = {**whose, **({"team": service.team} if service.team else {})}
    is_page = objective.severity == CRITICAL
    named = f"{told('objective')} of {told('service')}"
    budget = f"{100 * objective.budget_ratio:.4g}%"
    spends = (
        f"{told('service')} spends the error budget of {told('objective')}, {budget} of the"
        f' events of {objective.window}, {{{{ $value | printf "%.1f" }}}} times as fast as it may: over'
    )
    fast, slow = (_shares(paces, objective.window) for paces in (FAST, SLOW))

    def series(window: Duration) -> str:
        return select(burn(window), whose)

    def busy(window: str) -> str:
        return f"{over('avg', select(EVENTS, whose), window)} > {objective.floor:g}"

    return (
        Alert(
            name="ErrorBudgetBurn",
            variant="fast",
            expr=both(burning(FAST, objective.window, series), busy("5m")),
            severity=Severity.CRITICAL if is_page else Severity.WARNING,
            fires=f"a service spends the error budget of an objective fast: {fast}",
            summary=f"The error budget of {named} goes fast",
            description=f"{spends} {fast}.",
            labels=labels,
        ),
        Alert(
            name="ErrorBudgetBurn",
            variant="slow",
            expr=both(burning(SLOW, objective.window, series), busy("2h")),
            severity=Severity.WARNING if is_page else Severity.INFO,
            fires=f"a service spends the error budget of an objective before its time: {slow}",
            summary=f"The error budget of {named} will not last",
            description=f"{spends} {slow}.",
            labels=labels,
        ),
        Alert(
            name="ObjectiveWithoutData",
            expr=over("absent", select(EVENTS, whose), "5m"),
            severity=Severity.WARNING,
            fires="there are no figures of what an objective is measured by, so its other alerts cannot fire",
            summary=f"There are no figures of {named}",
            description=f"Prometheus has no series of what {named} is measured by: nothing runs that has them, or"
            " the indicator of the service's file names what there is not.",
            labels=labels,
        ),
    )


def _shares(paces: tuple[Pace, ...], window: Duration) -> str:
    """The paces in words, as in `2% within 1h, or 5% within 6h`."""
    return ", or ".join(
        f"{pace.factor(window) * pace.long.seconds / window.seconds:.0%} within {pace.long}" for pace in paces
    )
