"""How well the chosen targets do: their score, whether they can be scraped, and which alerts fire."""

from manometer.mixin.dashboards.meaning import BAD, GOOD, WORRY
from manometer.mixin.dashboards.panel import Column, Graph, Key, Panel, Query, Stat, Table
from manometer.mixin.dashboards.query import alerts, chosen, shown, watched
from manometer.mixin.promql import by
from manometer.mixin.rules import score
from manometer.mixin.rules.rule import runbook
from manometer.mixin.thresholds import Thresholds

__all__ = ["COLORS", "firing", "panels"]

COLORS = {"A": GOOD, "B": "light-green", "C": "yellow", "D": WORRY, "F": BAD}
"""The colour of each letter."""

_REAL = "!~Watchdog|InfoInhibitor"
_SHOWN = ("alertname", "severity", "job", "instance")


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """The score as a letter and over time, and what to look at first."""
    names = {start: (letter, COLORS[letter[0]]) for letter, start in config.score.grades.items()}
    return (
        Stat(
            "Grade",
            "The lowest score of the chosen targets, as a letter: A+ is best, F is worst. Below B, look at the panel"
            " of the score for the dimension that pulls it down.",
            "percentunit",
            (Query(f"min({chosen(score.SCORE)})", "score"),),
            steps=((None, BAD), (config.score.grades["D"], "yellow"), (config.score.grades["A-"], GOOD)),
            width=3,
            height=6,
            names=names,
        ),
        Stat(
            "Known to the grade",
            "Whether the grade of each chosen target rests on errors and latency. Where it does not, there is no"
            " stage, or hardly any work: the grade then tells of the rest alone.",
            "percentunit",
            (Query(by(("dimension",), chosen(score.KNOWN), "min"), shown("dimension")),),
            steps=((None, WORRY), (1, GOOD)),
            width=4,
            height=6,
            names={1: ("known", GOOD), 0: ("not known", WORRY)},
        ),
        Stat(
            "Targets up",
            "Share of the chosen targets that Prometheus can scrape. Below 100 % some of what is here is not current,"
            " or is missing: start with the runbook of TargetDown.",
            "percentunit",
            (Query(f"avg({watched(chosen('up'))})", "up"),),
            steps=((None, BAD), (1, GOOD)),
            width=3,
            height=6,
        ),
        *(_count(severity, color) for severity, color in (("critical", BAD), ("warning", WORRY))),
        _score(),
        firing(config),
    )


def firing(config: Thresholds) -> Table:
    """The alerts that fire, each with a link to its runbook where that has a URL."""
    page = runbook("${__value.raw}", config) if config.runbooks else ""
    return Table(
        "Firing alerts",
        "What fires for the chosen targets, critical first; nothing is what one wants. The name opens the runbook"
        " where the runbooks have a URL, the target opens its overview. Alertmanager may hold some of them back.",
        "none",
        (Column(by(_SHOWN, alerts({"alertname": _REAL})), "Series", unit="short"),),
        width=24,
        height=6,
        keys=(
            Key("alertname", "Alert", link=page),
            Key("severity", "Severity"),
            Key("job", "Job"),
            Key("instance", "Target", link=_OVERVIEW),
        ),
        sort="Severity",
        rising=True,
    )


_OVERVIEW = "/d/manometer-overview?${__url_time_range}&var-instance=${__value.raw}"


def _count(severity: str, color: str) -> Stat:
    return Stat(
        f"Alerts: {severity}",
        f"Alerts of severity {severity} that fire for the chosen targets. The table of firing alerts has their"
        " names.",
        "none",
        (Query(f"count({alerts({'severity': severity})}) or vector(0)", severity),),
        steps=((None, GOOD), (1, color)),
        width=3,
        height=6,
    )


def _score() -> Graph:
    return Graph(
        "Score",
        "Its dimensions from 0 (as bad as counts) to 1 (nothing wrong), and their weighted geometric mean, each the"
        " lowest of the chosen targets. The lowest line is where to look first; a dimension without figures has"
        " none.",
        "percentunit",
        (
            Query(f"min({chosen(score.SCORE)})", "score"),
            Query(by(("dimension",), chosen(score.DIMENSION), "min"), shown("dimension")),
        ),
        steps=((None, BAD), (0.6, "yellow"), (0.9, GOOD)),
        top=1,
        height=6,
    )
