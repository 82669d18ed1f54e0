"""The fleet: all targets at once, those that stand out, and how the others are spread."""

from manometer.catalogue import process, self_metrics
from manometer.mixin.dashboards.meaning import BAD, GOOD, NOTE, PLAIN, WORRY, worst_from
from manometer.mixin.dashboards.panel import (
    PRESSURE,
    SINCE,
    WELL,
    Bars,
    Column,
    Dashboard,
    Graph,
    Key,
    Query,
    Row,
    Stat,
    Table,
)
from manometer.mixin.dashboards.query import RATE, alerts, chosen, highest, per_second, shown, watched
from manometer.mixin.dashboards.score import COLORS
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import TARGET, by, either
from manometer.mixin.rules import pool, runtime, score
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_TARGET = shown("instance")
_HERE = "/d/manometer-overview?${__url_time_range}&var-job=${__data.fields.Job}&var-instance=${__value.raw}"
_MEMORY = by(TARGET, chosen(process.MEMORY_USAGE), "max")


def dashboard(config: Thresholds) -> Dashboard:
    """Made for a thousand targets: counts, spreads and the ten that stand out, never a line a target."""
    return board(
        "fleet",
        "Fleet",
        "All targets at once: how many there are and how well they do, the ten that stand out, and how the others are"
        " spread.",
        (
            Row(WELL, (_up(), _down(), _restarted(), _grades(config), _targets(config))),
            Row(PRESSURE, (_lowest(config), _fullest(config), _largest(config), _busiest(config))),
            Row(SINCE, (_up_over_time(), _score_spread(), _memory_spread(), _cpu_spread(), _alerts(), _restarts())),
        ),
    )


def _up() -> Stat:
    return Stat(
        "Targets that are up",
        "How many of the chosen targets Prometheus can scrape. Compare with how many there should be.",
        "short",
        (Query(f"sum({watched(chosen('up'))})", "up"),),
        width=4,
        height=6,
    )


def _down() -> Stat:
    return Stat(
        "Targets that are down",
        "How many of the chosen targets Prometheus cannot scrape. Sort the table by up: see the runbook of"
        " TargetDown.",
        "short",
        (Query(f"count({watched(chosen('up'))} == 0) or vector(0)", "down"),),
        steps=((None, GOOD), (1, BAD)),
        width=4,
        height=6,
    )


def _restarted() -> Stat:
    return Stat(
        "Restarted within the hour",
        "How many of the chosen targets have a process that began within the hour. After a deployment all of them,"
        " else none.",
        "short",
        (Query(f"count({by(TARGET, chosen(process.UPTIME), 'min')} < 3600) or vector(0)", "restarted"),),
        steps=((None, NOTE),),
        width=4,
        height=6,
    )


def _grades(config: Thresholds) -> Bars:
    """A bar a letter: the grades between, such as A-, go with their letter."""
    least: dict[str, float] = {}
    for grade, start in config.score.grades.items():
        least[grade[0]] = start
    bounds = [*least.items()]
    queries = []
    for place, (letter, start) in enumerate(bounds):
        found = f"{chosen(score.SCORE)} >= {start:g}"
        if place:
            found += f" < {bounds[place - 1][1]:g}"
        queries.append(Query(f"count({found}) or vector(0)", letter, color=COLORS[letter]))
    return Bars(
        "Targets by grade",
        "How many of the chosen targets have each grade. One target at F among many at A is a fault of that one; all"
        " at C are something that they share.",
        "short",
        tuple(queries),
        width=12,
        height=6,
    )


def _targets(config: Thresholds) -> Table:
    firing = by(TARGET, watched(chosen("ALERTS", {"alertstate": "firing"})), "count")  # those about one target
    up = by(TARGET, watched(chosen("up")), "max")
    return Table(
        "Targets",
        "Each target in one line, the lowest score on top. A name opens the overview of that target alone.",
        "none",
        (
            Column(by(TARGET, chosen(score.SCORE), "min"), "Score", unit="percentunit", steps=_grade_steps(config)),
            Column(up, "Up", steps=worst_from(1, low=True)),
            Column(either(firing, f"0 * {up}"), "Alerts", steps=((None, GOOD), (1, BAD))),
            Column(by(TARGET, chosen(process.UPTIME), "min"), "Uptime", unit="s"),
            Column(_MEMORY, "Memory", unit="decbytes", steps=worst_from(config.runtime.memory_bytes)),
            Column(
                per_second(process.CPU_TIME, TARGET),
                "Processor",
                unit="suffix: cores",
                steps=worst_from(config.runtime.cpu_cores),
            ),
            Column(by(TARGET, chosen(self_metrics.SERIES)), "Series", unit="short"),
        ),
        width=24,
        height=12,
        keys=(Key("job", "Job"), Key("instance", "Target", link=_HERE)),
        sort="Score",
        rising=True,
    )


def _grade_steps(config: Thresholds) -> tuple[tuple[float | None, str], ...]:
    return ((None, BAD), (config.score.grades["D"], "yellow"), (config.score.grades["A-"], GOOD))


def _lowest(config: Thresholds) -> Bars:
    return Bars(
        "Lowest scores",
        "The ten chosen targets that do worst. Open one in the table to see which of its dimensions is low.",
        "percentunit",
        (Query(f"bottomk(10, {by(TARGET, chosen(score.SCORE), 'min')})", _TARGET),),
        steps=_grade_steps(config),
        top=1,
        width=6,
    )


def _fullest(config: Thresholds) -> Bars:
    return Bars(
        "Fullest pools",
        "The ten targets whose fullest pool is fullest. One that stands out has more to do, or slower resources, than"
        " the others: look at how the load is spread.",
        "percentunit",
        (Query(highest(by(TARGET, chosen(pool.SATURATION_5M), "max")), _TARGET),),
        steps=((None, GOOD), (config.pool.forecast_ratio, WORRY), (config.pool.saturation_ratio, BAD)),
        top=1,
        width=6,
    )


def _largest(config: Thresholds) -> Bars:
    return Bars(
        "Most memory",
        "The ten targets with the largest process. All alike is what the program takes; one that stands out leaks, or"
        " has been up for longest.",
        "decbytes",
        (Query(highest(_MEMORY), _TARGET),),
        steps=worst_from(config.runtime.memory_bytes),
        width=6,
    )


def _busiest(config: Thresholds) -> Bars:
    return Bars(
        "Most processor time",
        "The ten targets that keep the most processors busy, on five minutes' average. One that stands out gets more"
        " than its share of the work.",
        "suffix: cores",
        (Query(highest(by(TARGET, chosen(runtime.CPU), "max")), _TARGET),),
        steps=worst_from(config.runtime.cpu_cores),
        width=6,
    )


def _up_over_time() -> Graph:
    return Graph(
        "Targets up by job",
        "How many targets of each job Prometheus can scrape. Dents are restarts; a step down that stays is a target"
        " that is gone.",
        "short",
        (Query(by(("job",), watched(chosen("up"))), shown("job")),),
    )


def _spread(expr: str) -> tuple[Query, ...]:
    return (
        Query(f"max({expr})", "greatest", color=NOTE),
        Query(f"quantile(0.9, {expr})", "9 of 10 at most"),
        Query(f"quantile(0.5, {expr})", "half at most"),
        Query(f"min({expr})", "least", color=NOTE),
    )


def _score_spread() -> Graph:
    return Graph(
        "Spread of the scores",
        "The best and the lowest score of the chosen targets, and what half of them have at most. All falling"
        " together is something shared; the lowest alone is one target.",
        "percentunit",
        _spread(chosen(score.SCORE)),
        steps=PLAIN,
        top=1,
    )


def _memory_spread() -> Graph:
    return Graph(
        "Spread of the memory",
        "Memory of the largest process of a target: the greatest, the least, and what half and nine of ten have at"
        " most. A greatest that leaves the others behind is one target that leaks.",
        "decbytes",
        _spread(_MEMORY),
    )


def _cpu_spread() -> Graph:
    return Graph(
        "Spread of the processor time",
        "Processors that a target keeps busy, on five minutes' average: the most, the least, and what half and nine"
        " of ten take at most. Lines far apart: the load is not spread evenly.",
        "suffix: cores",
        _spread(by(TARGET, chosen(runtime.CPU), "max")),
    )


def _alerts() -> Graph:
    found = by(("severity",), alerts({"alertname": "!~Watchdog|InfoInhibitor"}), "count")
    return Graph(
        "Alerts by severity",
        "How many alerts fired at each time for the chosen targets. A hill is one fault that many targets have.",
        "short",
        (Query(f"{found}\nor label_replace(vector(0), 'severity', 'none', '', '')", shown("severity")),),
    )


def _restarts() -> Graph:
    return Graph(
        "Restarts",
        "How many processes of the chosen targets began anew from one point to the next. A row of them is a crash"
        " loop.",
        "short",
        (Query(by(("job",), f"resets({chosen(process.UPTIME)}[{RATE}])"), shown("job")),),
    )
