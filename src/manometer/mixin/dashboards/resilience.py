"""Resilience: which breakers are open, which health checks fail, and how many attempts work takes."""

from collections.abc import Mapping

from manometer.catalogue import health, resilience
from manometer.mixin.dashboards.meaning import BAD, GOOD, WORRY, worst_from
from manometer.mixin.dashboards.panel import (
    PRESSURE,
    SINCE,
    WELL,
    Column,
    Dashboard,
    Graph,
    Key,
    Query,
    Row,
    Table,
    Timeline,
    Variable,
)
from manometer.mixin.dashboards.query import alert_line, chosen, grown, per_second, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import by
from manometer.mixin.rules import resilience as rules
from manometer.mixin.thresholds import Thresholds

__all__ = ["breakers", "checks", "dashboard"]

_NONE: Mapping[str, str] = {}
_BREAKER = ("breaker.name",)
_OPERATION = ("retry.operation.name",)
_CHECK = ("health.check.name", "health.check.critical")
_A_BREAKER, _AN_OPERATION, _A_CHECK = map(shown, ("breaker.name", "retry.operation.name", "health.check.name"))

_BREAKERS = {"breaker.name": "=~$breaker"}
_OPERATIONS = {"retry.operation.name": "=~$operation"}
_OUTCOMES = {"ok": GOOD, "error": BAD, "rejected": WORRY}
_ATTEMPTS = {"ok": GOOD, "retried": WORRY, "exhausted": BAD}


def dashboard(config: Thresholds) -> Dashboard:
    """What stands in for what fails."""
    choices = (
        Variable("breaker", "breaker.name", "Breaker", chosen(resilience.BREAKER_STATE), "Breakers of the targets."),
        Variable(
            "operation",
            "retry.operation.name",
            "Retried operation",
            chosen(resilience.RETRY_ATTEMPTS),
            "Operations that the targets retry.",
        ),
    )
    return board(
        "resilience",
        "Resilience",
        "Which circuit breakers are open and which health checks fail, how many attempts work takes, and how much"
        " of it fails for good.",
        (
            Row(WELL, (breakers(_BREAKERS), checks(), _checks())),
            Row(PRESSURE, (_refused(), _exhausted(config), _attempts_each())),
            Row(SINCE, (_calls(), _attempts(), _transitions(), _check_time(), _check_age(), _check_running())),
        ),
        choices,
    )


def breakers(matchers: Mapping[str, str] = _NONE) -> Timeline:
    """In which state each breaker was."""
    opened, trying = (
        chosen(resilience.BREAKER_STATE, {"breaker.state": state, **matchers}) for state in ("open", "half_open")
    )
    return Timeline(
        "Circuit breakers",
        "The worst state of each breaker among the chosen targets. Open: calls are refused, because what stands"
        " behind the breaker kept failing; mend that, not the breaker. Half-open: one call is let through to try.",
        "none",
        (Query(by(_BREAKER, f"2 * {opened}\nor {trying}", "max"), _A_BREAKER),),
        width=12,
        height=6,
        states={0: ("closed", GOOD), 1: ("half-open", WORRY), 2: ("open", BAD)},
    )


def checks() -> Timeline:
    """Whether each health check passed."""
    return Timeline(
        "Health checks",
        "Whether each check passed on all chosen targets. A critical one that fails takes the program out of service;"
        " see the runbook of HealthCheckFailing. A gap is a check that has not run yet, or a program that is down.",
        "none",
        (
            Query(
                by(_CHECK, chosen(health.UP), "min"),
                f"{_A_CHECK}, critical: {shown('health.check.critical')}",
            ),
        ),
        width=12,
        height=6,
        states={0: ("fails", BAD), 1: ("passes", GOOD)},
    )


def _checks() -> Table:
    return Table(
        "Checks now",
        "Each health check in one line, the worst of the chosen targets. One that ended long ago hangs or is not run:"
        " see how long the run under way has taken.",
        "none",
        (
            Column(by(_CHECK, chosen(health.UP), "min"), "Passes", steps=worst_from(1, low=True)),
            Column(by(_CHECK, chosen(health.DURATION), "max"), "Took", unit="s"),
            Column(by(_CHECK, chosen(health.AGE), "max"), "Ended ago", unit="s"),
        ),
        width=24,
        height=6,
        keys=(Key("health.check.name", "Check"), Key("health.check.critical", "Critical")),
        sort="Passes",
        rising=True,
    )


def _refused() -> Graph:
    return Graph(
        "Calls refused by breakers",
        "Share of calls that a breaker refused, on five minutes' average. These callers got an error at once, in the"
        " place of a wait for something that does not answer.",
        "percentunit",
        (Query(by(_BREAKER, chosen(rules.REFUSED_RATIO, _BREAKERS), "max"), _A_BREAKER),),
        steps=((None, GOOD), (1e-9, WORRY)),
        top=1,
    )


def _exhausted(config: Thresholds) -> Graph:
    return Graph(
        "Retries that run out",
        "Share of retried operations that failed in every attempt. Above the line see the runbook of"
        " RetriesExhausted: more attempts seldom help, what is called has to be mended.",
        "percentunit",
        (
            Query(by(_OPERATION, chosen(rules.EXHAUSTED_RATIO, _OPERATIONS), "max"), _AN_OPERATION),
            alert_line("RetriesExhausted", "ratio"),
        ),
        steps=worst_from(config.resilience.exhausted_ratio),
        top=1,
    )


def _attempts_each() -> Graph:
    ended = {"retry.attempt.outcome": "!=retried", **_OPERATIONS}
    attempts = per_second(resilience.RETRY_ATTEMPTS, _OPERATION, _OPERATIONS)
    return Graph(
        "Attempts an operation takes",
        "Attempts over operations that ended. 1 is an operation that never has to be tried again; at 2 the retries"
        " double the load on something that already struggles.",
        "none",
        (Query(f"{attempts}\n/ ({per_second(resilience.RETRY_ATTEMPTS, _OPERATION, ended)} > 0)", _AN_OPERATION),),
        steps=((None, GOOD), (1.5, WORRY)),
    )


def _calls() -> Graph:
    def ending(outcome: str, color: str) -> Query:
        row = per_second(resilience.BREAKER_CALLS, _BREAKER, {"breaker.call.outcome": outcome, **_BREAKERS})
        return Query(row, f"{_A_BREAKER} {outcome}", color=color)

    return Graph(
        "Calls through breakers",
        "Calls a second by how they ended. Errors first, then rejections, is a breaker that does its work;"
        " errors without rejections is one that is set too patient.",
        "ops",
        tuple(ending(outcome, color) for outcome, color in _OUTCOMES.items()),
        stacked=True,
    )


def _attempts() -> Graph:
    def ending(outcome: str, color: str) -> Query:
        row = per_second(resilience.RETRY_ATTEMPTS, _OPERATION, {"retry.attempt.outcome": outcome, **_OPERATIONS})
        return Query(row, f"{_AN_OPERATION} {outcome}", color=color)

    return Graph(
        "Attempts",
        "Attempts a second: those that succeeded, those that failed and are tried again, and those that failed for"
        " good. Retried ones are load that nobody asked for.",
        "ops",
        tuple(ending(outcome, color) for outcome, color in _ATTEMPTS.items()),
        stacked=True,
    )


def _transitions() -> Graph:
    legend = f"{_A_BREAKER} to {shown('breaker.state')}"
    return Graph(
        "Changes of breakers",
        "How often each breaker changed its state. One that opens again and again, with half-open between, tries"
        " something that is still down: let it wait longer.",
        "short",
        (Query(grown(resilience.BREAKER_TRANSITIONS, (*_BREAKER, "breaker.state"), _BREAKERS), legend),),
    )


def _check_time() -> Graph:
    return Graph(
        "Time that checks take",
        "How long the last run of each check took, on the slowest target. One that climbs towards its time-out will"
        " fail next.",
        "s",
        (Query(by(_CHECK, chosen(health.DURATION), "max"), _A_CHECK),),
    )


def _check_age() -> Graph:
    return Graph(
        "Time since checks ended",
        "How long ago each check last ended. It saws between 0 and the interval; a line that climbs on is a check"
        " that hangs, and what it says of health is old.",
        "s",
        (Query(by(_CHECK, chosen(health.AGE), "max"), _A_CHECK),),
    )


def _check_running() -> Graph:
    return Graph(
        "Runs of checks under way",
        "How long the run under way has taken so far; nothing while none is. A line here is a check that takes"
        " longer than a scrape comes by chance: it is slow, or it hangs.",
        "s",
        (Query(by(_CHECK, chosen(health.RUNNING), "max"), _A_CHECK),),
    )
