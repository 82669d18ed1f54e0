"""Objectives: how much of each error budget is left, how fast it is spent, and by how many bad events."""

from collections.abc import Mapping

from manometer.mixin.dashboards.meaning import BAD, GOOD, NOTE, WORRY, Steps
from manometer.mixin.dashboards.panel import (
    PRESSURE,
    SINCE,
    WELL,
    Annotation,
    Bars,
    Column,
    Dashboard,
    Graph,
    Key,
    Query,
    Row,
    Stat,
    Table,
    Variable,
)
from manometer.mixin.dashboards.query import shown
from manometer.mixin.promql import by, select
from manometer.mixin.rules.slo import ERRORS, EVENTS, LEFT, OBJECTIVE, TARGET_RATIO, burn
from manometer.mixin.slo.burn import FAST, MONTH, SLOW
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_CHOSEN: Mapping[str, str] = {"service": "=~$service", "objective": "=~$objective"}
_AN_OBJECTIVE = f"{shown('service')} {shown('objective')}"

_LEFT: Steps = ((None, BAD), (1e-9, WORRY), (0.25, GOOD))
"""Red where nothing is left."""
_PACE: Steps = ((None, GOOD), (1, WORRY), (FAST[0].factor(MONTH), BAD))
"""Orange where a budget will not last, red where one of thirty days pages."""


def dashboard(config: Thresholds) -> Dashboard:  # noqa: ARG001 - as every dashboard
    """Of services, not of targets: an objective is measured over all programs of a service."""
    of_service = {"service": _CHOSEN["service"]}
    return Dashboard(
        uid="manometer-slo",
        title="Manometer / Objectives",
        description="How much of each error budget is left, how fast it is spent, and by how many bad events; of the"
        " services whose files the rules were written with.",
        variables=(
            Variable("service", "service", "Service", TARGET_RATIO, "Services that have objectives."),
            Variable(
                "objective", "objective", "Objective", select(TARGET_RATIO, of_service), "Objectives of the service."
            ),
        ),
        rows=(
            Row(WELL, (_left(), _burning(), _objectives())),
            Row(PRESSURE, (_now(), _paces(), _bad())),
            Row(SINCE, (_left_over_time(), _events())),
        ),
        annotations=(Annotation("Firing alerts", BAD, _alerts("=~ErrorBudgetBurn|ObjectiveWithoutData")),),
    )


def _chosen(series: str) -> str:
    return by(OBJECTIVE, select(series, _CHOSEN), "max")


def _alerts(name: str) -> str:
    return select("ALERTS", {"alertstate": "firing", "alertname": name, **_CHOSEN})


def _share() -> str:
    return f"{_chosen(ERRORS)}\n/ ({_chosen(EVENTS)} > 0)"


def _left() -> Bars:
    return Bars(
        "Error budget left",
        "What is left of the bad events that each objective allows in its window. Nothing left is a broken promise:"
        " change nothing until the cause is mended. A budget that is always full promises too little.",
        "percentunit",
        (Query(_chosen(LEFT), _AN_OBJECTIVE),),
        steps=_LEFT,
        top=1,
        width=16,
    )


def _burning() -> Stat:
    return Stat(
        "Budgets that burn",
        "How many alerts say that an error budget is spent too fast, fast ones and slow ones: see the runbook of"
        " ErrorBudgetBurn.",
        "short",
        (Query(f"count({_alerts('ErrorBudgetBurn')}) or vector(0)", "burning"),),
        steps=((None, GOOD), (1, BAD)),
    )


def _objectives() -> Table:
    hour, hours = (pace.long for pace in FAST)
    days = SLOW[-1].long
    return Table(
        "Objectives",
        "Each objective in one line. Sort by what is left to find those that are nearly broken, and by the burn rates"
        " to find those that are being broken: at 1 a budget lasts exactly as long as its window.",
        "none",
        (
            Column(_chosen(TARGET_RATIO), "Target", unit="percentunit"),
            Column(_chosen(LEFT), "Budget left", unit="percentunit", steps=_LEFT),
            Column(_chosen(burn(hour)), f"Burn rate {hour}", unit="none", steps=_PACE),
            Column(_chosen(burn(hours)), f"Burn rate {hours}", unit="none", steps=_PACE),
            Column(_chosen(burn(days)), f"Burn rate {days}", unit="none", steps=_PACE),
            Column(_chosen(EVENTS), "Events/s", unit="ops"),
            Column(_chosen(ERRORS), "Bad events/s", unit="ops"),
        ),
        width=24,
        keys=(Key("service", "Service"), Key("objective", "Objective")),
        sort="Budget left",
        rising=True,
    )


def _now() -> Graph:
    hour = FAST[0].long
    return Graph(
        f"Burn rate over {hour}",
        "How many times as fast as it may each error budget is spent. At 1 it lasts exactly as long as its window;"
        f" a budget of {MONTH} pages from {FAST[0].factor(MONTH):g} on.",
        "none",
        (Query(_chosen(burn(hour)), _AN_OBJECTIVE),),
        steps=_PACE,
    )


def _paces() -> Graph:
    return Graph(
        "Burn rates",
        "The same over a short time and over longer ones. Choose one objective to read it. The short one falls first"
        " when a fault is over, and the alert ends with it; the long ones remember what it cost.",
        "none",
        tuple(
            Query(_chosen(burn(each)), f"{_AN_OBJECTIVE} {each}")
            for each in (FAST[0].short, FAST[0].long, FAST[1].long, SLOW[0].long)
        ),
        steps=_PACE,
    )


def _bad() -> Graph:
    return Graph(
        "Share of bad events",
        "Bad events over all events, on five minutes' average. Compare with what the target leaves: at 99.9 %, one in"
        " a thousand.",
        "percentunit",
        (Query(_share(), _AN_OBJECTIVE),),
        steps=((None, NOTE),),
        top=1,
    )


def _left_over_time() -> Graph:
    return Graph(
        "Error budget left over time",
        "Each step down is a fault, as deep as it was bad and long. It comes back as the fault leaves the window, not"
        " when it ends. Below 0 the promise is broken.",
        "percentunit",
        (Query(_chosen(LEFT), _AN_OBJECTIVE),),
        steps=_LEFT,
        top=1,
        width=12,
    )


def _events() -> Graph:
    return Graph(
        "Events",
        "What each objective counts a second, and how much of that was bad. Few events make a nervous burn rate, and"
        " below the objective's floor nobody is alerted.",
        "ops",
        (
            Query(_chosen(EVENTS), f"{_AN_OBJECTIVE} all"),
            Query(_chosen(ERRORS), f"{_AN_OBJECTIVE} bad"),
        ),
        width=12,
    )
