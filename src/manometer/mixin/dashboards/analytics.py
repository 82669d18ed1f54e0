"""Analytics: which signals are unusual, since when, what would be usual, and where each leads."""

from manometer.mixin.dashboards.meaning import GOOD, NOTE, WORRY
from manometer.mixin.dashboards.panel import (
    COMING,
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
from manometer.mixin.dashboards.query import alert_line, highest, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import by, either, select
from manometer.mixin.rules.analytics import family
from manometer.mixin.rules.analytics.anomaly import SEASONS
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_SIGNAL = ("job", "signal")
_NAME = f"{shown('job')} {shown('signal')}"
_CHOICE = Variable(
    "signal",
    "signal",
    "Signal",
    # A signal is of a job, and has no instance.
    select(family.VALUE, {"job": "=~$job", "instance": "=~$instance|"}),
    "Signals of the jobs. Choose one to read the graphs below: each signal has a unit of its own.",
)


def dashboard(config: Thresholds) -> Dashboard:
    """What the rules of analytics find in every signal."""
    return board(
        "analytics",
        "Analytics",
        "Which signals of a job are unusual, since when, what would be usual, and where each leads.",
        (
            Row(WELL, (_states(config), _table(config))),
            Row(PRESSURE, (_scores(),)),
            Row(SINCE, (_usual(), _seasons())),
            Row(COMING, (_forecast(config), _fit(), _kept(config))),
        ),
        (_CHOICE,),
    )


def _of_signal(series: str, **matchers: str) -> str:
    return select(series, {"job": "=~$job", "signal": "=~$signal", **matchers})


def _largest(series: str, **matchers: str) -> str:
    """The series by job and signal, of which it has one each."""
    return by(_SIGNAL, _of_signal(series, **matchers), "max")


def _states(config: Thresholds) -> Timeline:
    score = _largest(family.ANOMALY)
    return Timeline(
        "Unusual signals",
        f"Whether each signal is within {config.analytics.anomaly:g} robust standard deviations of what is usual at"
        " this time of the day and week. Several that change at once have one cause: begin with the first of them. A"
        " signal needs a day of figures before it has a line.",
        "none",
        (Query(f"sgn({score}) * (abs({score}) > bool {config.analytics.anomaly:g})", _NAME),),
        width=12,
        height=12,
        states={-1: ("lower than usual", NOTE), 0: ("usual", GOOD), 1: ("higher than usual", WORRY)},
    )


def _table(config: Thresholds) -> Table:
    limits = config.analytics
    return Table(
        "Signals",
        f"Each signal in one line: its figure, what is usual, the score, what the trend of the last"
        f" {limits.trend_range} adds in an hour, how well a straight line fits it, and where it leads in"
        f" {limits.horizon}. Sort by score to find what is unusual, and by fit to find what is on its way.",
        "none",
        (
            Column(_largest(family.VALUE), "Now", unit="short"),
            Column(_known(family.USUAL), "Usual", unit="short"),
            Column(
                _largest(family.ANOMALY),
                "Score",
                unit="short",
                steps=((None, NOTE), (-limits.anomaly, GOOD), (limits.anomaly, WORRY)),
            ),
            Column(f"3600 * {_largest(family.SLOPE)}", "In an hour", unit="short"),
            Column(_largest(family.R2), "Fit", unit="percentunit"),
            Column(_largest(family.FORECAST), f"In {limits.horizon}", unit="short"),
        ),
        width=12,
        height=12,
        keys=(Key("job", "Job"), Key("signal", "Signal")),
        sort="Score",
    )


def _scores() -> Graph:
    return Graph(
        "Anomaly score",
        "How many robust standard deviations each signal is off what is usual; the ten furthest off. Above the line,"
        " on the bad side, the alert SignalUnusual fires after ten minutes: see its runbook.",
        "short",
        (
            Query(highest(f"abs({_largest(family.ANOMALY)})"), _NAME),
            alert_line("SignalUnusual", "deviations"),
        ),
        width=24,
    )


def _usual() -> Graph:
    return Graph(
        "Signal, and what is usual",
        "The chosen signal between the least and the most that the alert takes as usual. Where the band is wide, the"
        " signal is restless by itself, and only a large change means anything.",
        "short",
        (
            Query(_largest(family.VALUE), _NAME, color=NOTE),
            Query(_known(family.USUAL), f"{_NAME} usual", color=GOOD),
            Query(_known(family.HIGHEST), f"{_NAME} highest usual", limit=True),
            Query(_known(family.LOWEST), f"{_NAME} lowest usual", limit=True),
        ),
        width=12,
    )


def _seasons() -> Graph:
    return Graph(
        "Score by season",
        "The score against the level of the last day, against this time yesterday, and against this time a week ago."
        " What one of them finds usual raises no alarm.",
        "short",
        (
            Query(
                by((*_SIGNAL, "season"), _of_signal(family.ZSCORE), "max"),
                f"{_NAME} {shown('season')}",
            ),
        ),
        width=12,
    )


def _forecast(config: Thresholds) -> Graph:
    limits = config.analytics
    forecast, error = _largest(family.FORECAST), _largest(family.FORECAST_ERROR)
    return Graph(
        f"Signal, and where it leads in {limits.horizon}",
        f"The chosen signal, and where the straight line through its last {limits.trend_range} is {limits.horizon}"
        " from each moment, with its band. Believe it where the fit beside it is high and steady; otherwise the last"
        " hour tells nothing about the next.",
        "short",
        (
            Query(_largest(family.VALUE), _NAME, color=NOTE),
            Query(forecast, f"{_NAME} in {limits.horizon}", color=WORRY),
            Query(f"{forecast} + {error}", f"{_NAME} at most", limit=True),
            Query(f"clamp_min({forecast} - {error}, 0)", f"{_NAME} at least", limit=True),
        ),
    )


def _fit() -> Graph:
    return Graph(
        "Fit and steadiness of the trend",
        "R-squared: the share of the signal's ups and downs that a straight line explains. Steadiness: the lesser"
        " slope of the two halves of the past over the slope of the whole, 1 for a ramp, 0 for a step. A forecast is"
        " worth something where both are high.",
        "percentunit",
        (
            Query(_largest(family.R2), f"{_NAME} fit"),
            Query(f"clamp({_largest(family.STEADINESS)}, 0, 1)", f"{_NAME} steadiness"),
        ),
        top=1,
    )


def _kept(config: Thresholds) -> Graph:
    horizon = config.analytics.horizon

    def then(series: str) -> str:
        return by(_SIGNAL, f"{_of_signal(series)} offset {horizon}", "max")

    return Graph(
        "What the forecasts were worth",
        f"The chosen signal, and the band in which it was expected {horizon} before. A signal that keeps leaving the"
        " band turns too often for its last hour to tell the next.",
        "short",
        (
            Query(_largest(family.VALUE), _NAME, color=NOTE),
            Query(f"{then(family.FORECAST)} + {then(family.FORECAST_ERROR)}", f"{_NAME} at most", limit=True),
            Query(
                f"clamp_min({then(family.FORECAST)} - {then(family.FORECAST_ERROR)}, 0)",
                f"{_NAME} at least",
                limit=True,
            ),
        ),
    )


def _known(series: str) -> str:
    """The series against the longest season that is known of each signal."""
    longest_first = ("level", *SEASONS)[::-1]
    return f"({either(*(_largest(series, season=season) for season in longest_first))})"
