"""Rules of services: how many events each objective has, how fast it spends its error budget, how much is left."""

from collections.abc import Iterable, Iterator, Mapping

from manometer.mixin.promql import both, over, recorded, select
from manometer.mixin.rules.precedence import PROMISES_BURN, untold
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, told
from manometer.mixin.slo.burn import DAYS, FAST, HOURS, SLOW, Pace, burn_rate, burning
from manometer.mixin.slo.service import CRITICAL, Objective, Service
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["ERRORS", "EVENTS", "LEFT", "OBJECTIVE", "TARGET_RATIO", "burn", "groups"]

OBJECTIVE = ("service", "objective")
"""The labels of every series of an objective."""

EVENTS = recorded(OBJECTIVE, "slo_events", "rate5m")
ERRORS = recorded(OBJECTIVE, "slo_errors", "rate5m")
TARGET_RATIO = recorded(OBJECTIVE, "slo_target", "ratio")
LEFT = recorded(OBJECTIVE, "slo_error_budget", "left_ratio")

_SELDOM = Duration("2m")
"""How often that is looked at which takes days. A panel finds no sample that is older than five minutes."""
_EVENT_SAMPLES = recorded(OBJECTIVE, "slo_events", f"sampled{_SELDOM}")
_ERROR_SAMPLES = recorded(OBJECTIVE, "slo_errors", f"sampled{_SELDOM}")


def burn(window: str) -> str:
    """The recorded burn rate over a window."""
    return recorded(OBJECTIVE, "slo_error_budget", f"burn_rate{window}")


def groups(config: Thresholds, services: Iterable[Service]) -> tuple[Group, ...]:
    """The rules of each service: those of hours, and those of days, which are evaluated more seldom."""
    return tuple(
        group
        for service in services
        for group in (
            Group(f"slo-{service.name}", tuple(_of_hours(service, config))),
            Group(f"slo-{service.name}-days", tuple(_of_days(service)), interval=_SELDOM),
        )
    )


def _of_hours(service: Service, config: Thresholds) -> Iterator[Record | Alert]:
    for objective in service.objectives:
        whose = _whose(service, objective)
        events, errors = select(EVENTS, whose), select(ERRORS, whose)
        yield Record(EVENTS, objective.indicator.events, whose)
        yield Record(ERRORS, objective.indicator.errors, whose)
        yield Record(TARGET_RATIO, f"vector({objective.target_ratio:.9g})", whose)
        for window in HOURS:
            rate = burn_rate(errors, events, window, config.interval, objective.budget_ratio)
            yield Record(burn(window), rate, whose)
        yield _burns(service, objective, fast=True)
        yield _without_data(service, objective)
    burns = select("ALERTS", {"alertname": "ErrorBudgetBurn", "service": service.name})
    for job in service.jobs:
        yield Record(PROMISES_BURN, f"count by (severity) ({burns})", {"job": job, "service": service.name})


def _of_days(service: Service) -> Iterator[Record | Alert]:
    """Of fewer samples: a month has 86,400 of the others, which would take long to read."""
    for objective in service.objectives:
        whose = _whose(service, objective)
        events, errors = select(_EVENT_SAMPLES, whose), select(_ERROR_SAMPLES, whose)
        yield Record(_EVENT_SAMPLES, select(EVENTS, whose), whose)
        yield Record(_ERROR_SAMPLES, select(ERRORS, whose), whose)
        for window in DAYS:
            rate = burn_rate(errors, events, window, _SELDOM, objective.budget_ratio)
            yield Record(burn(window), rate, whose)
        spent = burn_rate(errors, events, objective.window, _SELDOM, objective.budget_ratio)
        yield Record(LEFT, f"1 - ({spent})", whose)
        yield _burns(service, objective, fast=False)


def _whose(service: Service, objective: Objective) -> Mapping[str, str]:
    return {"service": service.name, "objective": objective.name}


def _labels(service: Service, objective: Objective) -> Mapping[str, str]:
    """Those of the series, which tell the alerts of a name apart, and the team where there is one."""
    team = {"team": service.team} if service.team else {}
    return {**_whose(service, objective), **team}


def _burns(service: Service, objective: Objective, fast: bool) -> Alert:
    whose = _whose(service, objective)
    paces, busy_for = (FAST, "5m") if fast else (SLOW, "2h")
    severities = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    shares = _shares(paces, objective.window)
    named = f"{told('objective')} of {told('service')}"
    budget = f"{100 * objective.budget_ratio:.4g}% of the events of {objective.window}"

    def series(window: Duration) -> str:
        return select(burn(window), whose)

    worst = severities[objective.severity != CRITICAL]
    # The longer of the short windows still holds the failures of half an hour ago.
    failing = f"{objective.indicator.target_errors} > {objective.budget_ratio:.9g}"
    goes_on = (f"{series(FAST[0].short)} > 1", f"on () ({untold(failing)})") if fast else ()
    condition = both(
        burning(paces, objective.window, series),
        f"{over('avg', select(EVENTS, whose), busy_for)} > {objective.floor:g}",
        *goes_on,
    )
    # While the fast one fires it is enough: see `precedence`.
    told_already = {"alertname": "ErrorBudgetBurn", "alertstate": "firing", "severity": worst.value, **whose}
    return Alert(
        name="ErrorBudgetBurn",
        variant="fast" if fast else "slow",
        expr=condition if fast else f"({condition})\nunless on (service, objective) {select('ALERTS', told_already)}",
        severity=worst if fast else severities[severities.index(worst) + 1],
        fires=f"a service spends the error budget of an objective too fast: over {shares}",
        summary=f"The error budget of {named} {'goes fast' if fast else 'will not last'}",
        description=f"{told('service')} spends the error budget of {told('objective')}, {budget},"
        f' {{{{ $value | printf "%.1f" }}}} times as fast as it may: over {shares}.',
        labels=_labels(service, objective),
    )


def _without_data(service: Service, objective: Objective) -> Alert:
    named = f"{told('objective')} of {told('service')}"
    return Alert(
        name="ObjectiveWithoutData",
        expr=over("absent", select(EVENTS, _whose(service, objective)), "5m"),
        severity=Severity.WARNING,
        fires="there are no figures of what an objective is measured by, so its other alerts cannot fire",
        summary=f"There are no figures of {named}",
        description=f"Prometheus has no series of what {named} is measured by: nothing runs that has them, or"
        " the indicator of the service's file names what there is not.",
        labels=_labels(service, objective),
    )


def _shares(paces: tuple[Pace, ...], window: Duration) -> str:
    """The paces in words, as in `2% within 1h, or 5% within 6h`."""
    return ", or ".join(
        f"{pace.factor(window) * pace.long.seconds / window.seconds:.0%} within {pace.long}" for pace in paces
    )
