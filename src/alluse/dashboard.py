"""The dashboard of what the engine decides: classes, regimes, rules, trust, orders, and errors before recovery and
after.

    python -m alluse.dashboard FILE

It is the application's own, as its figures are: the kit ships dashboards of what every program has.
"""

import sys
from pathlib import Path

from alluse.trust import Approval
from alluse.workflow import Outcome
from manometer.dashboards import (
    BAD,
    GOOD,
    NOTE,
    PRESSURE,
    QUIET,
    SINCE,
    WELL,
    WORRY,
    Bars,
    Column,
    Dashboard,
    Graph,
    Key,
    Query,
    Row,
    Stat,
    Table,
    board,
    by,
    chosen,
    per_second,
    ratio,
    shown,
    written,
)

__all__ = ["dashboard"]

_WORKFLOWS, _ORDERS, _APPROVALS = "alluse_workflows_total", "alluse_orders_total", "alluse_approvals_total"
_DECISIONS, _TRUST, _FAULTS = "alluse_decisions_total", "alluse_trust_ratio", "alluse_fault_rate_ratio"
_ATTEMPTS = "retry_attempts_total"
_PLACING = {"retry_operation_name": "place_order"}

_ENDINGS = {
    Outcome.PLACED: GOOD,
    Outcome.HELD: NOTE,
    Outcome.DECLINED: QUIET,
    Outcome.REJECTED: WORRY,
    Outcome.SHED: WORRY,
    Outcome.FAILED: BAD,
}
_MAKERS = {
    Approval.ALONE: NOTE,
    Approval.APPROVED: GOOD,
    Approval.DECLINED: QUIET,
    Approval.REFUSED: WORRY,
    Approval.TIMED_OUT: BAD,
}


def dashboard() -> Dashboard:
    """What the engine decides, and what comes of it."""
    return board(
        "alluse",
        "ALL-USE",
        "What the trading engine decides: the classes of weeks, the regimes, the rules, how far it is trusted, what"
        " became of its orders, and errors before recovery and after.",
        (
            Row(WELL, (_trust(), _placed(), _workflows(), _recovery())),
            Row(PRESSURE, (_approvals(), _asked(), _faults())),
            Row(
                SINCE,
                (
                    _facts("week_class", "Classes of weeks"),
                    _facts("regime", "Regimes"),
                    _conditions(),
                    _rules(),
                    _orders(),
                    _trust_over_time(),
                ),
            ),
        ),
    )


def _trust() -> Stat:
    return Stat(
        "Trust",
        "How far outcomes made the engine trusted, the least of the chosen targets. Low: it asks the human about more"
        " of what it decides.",
        "percentunit",
        (Query(f"min({chosen(_TRUST)})", "trust"),),
        steps=((None, BAD), (0.3, WORRY), (0.6, GOOD)),
        width=4,
    )


def _placed() -> Stat:
    placed = per_second(_WORKFLOWS, (), {"outcome": "placed"})
    return Stat(
        "Workflows with orders",
        "Share of the workflows that led to orders in the book. The others had no reason to trade, or did not get"
        " there: see how the workflows end.",
        "percentunit",
        (Query(ratio(placed, per_second(_WORKFLOWS, ())), "placed"),),
        width=4,
    )


def _workflows() -> Graph:
    return Graph(
        "How workflows end",
        "Workflows a second by how they ended. Held ones had no reason to trade; failed, rejected and shed ones had"
        " one and did not get there.",
        "ops",
        tuple(
            Query(per_second(_WORKFLOWS, ("outcome",), {"outcome": outcome.value}), shown("outcome"), color=color)
            for outcome, color in _ENDINGS.items()
        ),
        stacked=True,
    )


def _recovery() -> Graph:
    attempts = per_second(_ATTEMPTS, (), _PLACING)
    failed = per_second(_ATTEMPTS, (), {"retry_attempt_outcome": "!=ok", **_PLACING})
    lost = per_second(_ORDERS, (), {"outcome": "failed"})
    return Graph(
        "Order errors before and after recovery",
        "Share of attempts to place an order that fail, and share of orders that fail for good, after retries. The"
        " gap is what recovery saves; where both rise, the broker is down for longer than the retries last.",
        "percentunit",
        (
            Query(ratio(failed, attempts), "before", color=WORRY),
            Query(ratio(lost, per_second(_ORDERS, ())), "after", color=BAD),
        ),
        top=1,
        opens=("resilience",),
    )


def _approvals() -> Graph:
    return Graph(
        "Who decides",
        "Decisions a second: made alone, approved or declined by the human, not answered in time, or not asked"
        " because the inbox was full. Timed out ones are a human who is away.",
        "ops",
        tuple(
            Query(per_second(_APPROVALS, ("outcome",), {"outcome": approval.value}), shown("outcome"), color=color)
            for approval, color in _MAKERS.items()
        ),
        stacked=True,
        opens=("workers",),
    )


def _asked() -> Graph:
    alone = per_second(_APPROVALS, (), {"outcome": "alone"})
    return Graph(
        "Decisions made alone",
        "Share of the decisions that the engine made without the human. It follows the trust; a fall by itself is a"
        " market that the rules know less well.",
        "percentunit",
        (Query(ratio(alone, per_second(_APPROVALS, ())), "alone"),),
        top=1,
    )


def _faults() -> Bars:
    return Bars(
        "Faults that are switched on",
        "The rate of each fault that can be switched on, 0 while it is off. What goes wrong elsewhere on these"
        " dashboards may be one of these.",
        "percentunit",
        (Query(by(("fault",), chosen(_FAULTS), "max"), shown("fault")),),
        steps=((None, GOOD), (1e-9, WORRY)),
        top=1,
    )


def _facts(label: str, title: str) -> Graph:
    return Graph(
        title,
        "Decisions a second by this fact about the market. The bundled prices are gone through again and again, so"
        " the mixture changes with the years that they are from.",
        "ops",
        (Query(per_second(_DECISIONS, (label,)), shown(label)),),
        stacked=True,
    )


def _conditions() -> Graph:
    return _facts("condition", "Conditions of the market")


def _rules() -> Table:
    return Table(
        "What the rules decide",
        "Decisions of each rule by what they led to. Sort by decisions to see what the engine does most, by share to"
        " see which rule has most of the work.",
        "none",
        (
            Column(per_second(_DECISIONS, ("rule", "action")), "Decisions/s", unit="ops"),
            Column(
                f"{per_second(_DECISIONS, ('rule', 'action'))}"
                f"\n/ on () group_left () ({per_second(_DECISIONS, ())} > 0)",
                "Share",
                unit="percentunit",
            ),
        ),
        width=24,
        keys=(Key("rule", "Rule"), Key("action", "Action")),
        sort="Decisions/s",
    )


def _orders() -> Graph:
    return Graph(
        "What becomes of orders",
        "Orders a second: placed in the book, declined by the human, rejected by the open breaker, failed for good.",
        "ops",
        (Query(per_second(_ORDERS, ("outcome",)), shown("outcome")),),
        stacked=True,
        width=12,
    )


def _trust_over_time() -> Graph:
    return Graph(
        "Trust over time",
        "How far each target is trusted. It rises slowly with outcomes that were right and falls fast with those that"
        " were not; where it falls, the human will be asked more.",
        "percentunit",
        (Query(by(("instance",), chosen(_TRUST), "min"), shown("instance")),),
        top=1,
        width=12,
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(written(dashboard()), encoding="utf-8")
