"""How well the chosen targets do: their score, whether they can be scraped, and which alerts fire."""

from manometer.mixin.dashboards.panel import SELECTED, Panel, Query, Stat, chosen, shown
from manometer.mixin.promql import by, select
from manometer.mixin.rules import score
from manometer.mixin.thresholds import Thresholds

__all__ = ["panels"]


def panels(config: Thresholds) -> tuple[Panel, ...]:
    """The score as a letter and over time, and what to look at first."""
    colors = {"A": "green", "B": "light-green", "C": "yellow", "D": "orange", "F": "red"}
    names = {start: (letter, colors[letter[0]]) for letter, start in config.score.grades.items()}
    return (
        Stat(
            "Grade",
            "The lowest score of the chosen targets, as a letter: A+ is best, F is worst. Below B, look at the panel"
            " beside it for the dimension that pulls it down.",
            "percentunit",
            (Query(f"min({chosen(score.SCORE)})", "score"),),
            steps=((None, "red"), (config.score.grades["D"], "yellow"), (config.score.grades["A-"], "green")),
            width=4,
            names=names,
        ),
        Stat(
            "Targets up",
            "Share of the chosen targets that Prometheus can scrape. Below 100 % some of what is here is not current,"
            " or is missing: start with the runbook of TargetDown.",
            "percentunit",
            (Query(f"avg({chosen('up')})", "up"),),
            steps=((None, "red"), (1, "green")),
            width=4,
        ),
        *(_firing(severity, color) for severity, color in (("critical", "red"), ("warning", "orange"))),
        _score(),
    )


def _firing(severity: str, color: str) -> Stat:
    # An alert about a whole job has no instance.
    about = {label: f"{matcher}|" for label, matcher in SELECTED.items()}
    firing = select("ALERTS", {"alertstate": "firing", "severity": severity, **about})
    return Stat(
        f"Alerts: {severity}",
        f"Alerts of severity {severity} that fire for the chosen targets. Open Alertmanager for their names; each"
        " links a runbook.",
        "none",
        (Query(f"count({firing}) or vector(0)", severity),),
        steps=((None, "green"), (1, color)),
        width=4,
    )


def _score() -> Panel:
    return Panel(
        "Score",
        "Errors, latency, saturation and cache from 0 (as bad as counts) to 1 (nothing wrong), and their weighted"
        " geometric mean. The lowest line is where to look first; a dimension without figures has no line.",
        "percentunit",
        (
            Query(f"min({chosen(score.SCORE)})", "score"),
            Query(by(("dimension",), chosen(score.DIMENSION), "min"), shown("dimension")),
        ),
        steps=((None, "red"), (0.6, "yellow"), (0.9, "green")),
        top=1,
    )
