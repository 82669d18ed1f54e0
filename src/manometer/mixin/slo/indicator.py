"""Indicators: what of a metric of the catalogue, or of any other counters, is good and what is bad."""

import re
from collections.abc import Callable, Mapping

from manometer.catalogue import SUBJECTS, Kind, MetricSpec
from manometer.mixin.histograms import events, slow
from manometer.mixin.promql import TARGET, any_of, by, rate, select
from manometer.mixin.slo.part import Part
from manometer.mixin.slo.service import Indicator

__all__ = ["KEYS", "indicator"]

KEYS = ("metric", "where", "bad", "within", "good", "total")
"""What an indicator may say."""

_METRICS = {
    name: row
    for rows in SUBJECTS.values()
    for row in rows
    if row.kind in (Kind.COUNTER, Kind.HISTOGRAM)
    for name in (row.name, row.prometheus_name)
}
_SELECTOR = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[^{}\"\n]|\"(?:[^\"\\\n]|\\.)*\")*\})?")
_A_SELECTOR = 'a selector of counters such as http_requests_total{code=~"5.."}'
_ANY = re.compile(r".+")

Labels = tuple[str, ...]


def indicator(part: Part, jobs: tuple[str, ...]) -> Indicator:
    """The indicator that a mapping describes.

    Of the catalogue: `metric`, and `where` to narrow it; then what is `bad` by its labels, or, of a histogram, what
    is good as it came `within` some seconds. Of other counters: `total`, and what of these is `bad` or `good`.
    """
    if "metric" in part:
        return _of_the_catalogue(part, jobs)
    if "total" not in part:
        raise part.refused("has neither a metric of the catalogue nor a total")
    for name in ("where", "within"):
        if name in part:
            raise part.refused(f"has {name}, which goes with a metric alone,")
    if ("bad" in part) is ("good" in part):
        raise part.refused("needs one of bad and good")
    total = part.text("total", _A_SELECTOR, _SELECTOR)
    if "bad" in part:
        bad = part.text("bad", _A_SELECTOR, _SELECTOR)
        return _counted(lambda of: by(of, rate(total)), lambda of: by(of, rate(bad)))
    good = part.text("good", _A_SELECTOR, _SELECTOR)

    def errors(of: Labels) -> str:
        every = by(of, rate(total))
        return f"{every} - ({by(of, rate(good))} or 0 * {every})"

    return _indicator(lambda of: by(of, rate(total)), errors)


def _of_the_catalogue(part: Part, jobs: tuple[str, ...]) -> Indicator:
    metric = _METRICS[part.choice("metric", "metric", _METRICS)]
    is_histogram = metric.kind is Kind.HISTOGRAM
    for name in ("good", "total"):
        if name in part:
            raise part.refused(f"has {name}, which does not go with a metric,")
    if ("bad" in part) is ("within" in part):
        raise part.refused("needs one of bad and within")
    chosen = {"job": any_of(jobs), **(_matchers(part.part("where", None), metric) if "where" in part else {})}

    def counted(of: Labels, matchers: Mapping[str, str] = chosen) -> str:
        return events(metric, of, matchers) if is_histogram else by(of, rate(select(metric, matchers)))

    if "bad" in part:
        bad = {**chosen, **_matchers(part.part("bad", None), metric)}
        return _counted(counted, lambda of: counted(of, bad))
    if not is_histogram:
        raise part.wrong("within", f"no value for {metric.name}, which is a counter and knows no times")
    seconds = part.value("within")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds not in metric.buckets:
        bounds = ", ".join(f"{each:g}" for each in metric.buckets)
        raise part.wrong("within", f"seconds at which a bucket of {metric.name} ends: {bounds}")
    return _indicator(counted, lambda of: slow(metric, seconds, of, chosen))


def _matchers(part: Part, metric: MetricSpec) -> Mapping[str, str]:
    """Label values by attribute, each of which the metric has."""
    found = {}
    for name in part:
        if name not in metric.attributes:
            raise part.unknown_key(name, f"attribute of {metric.name}", metric.attributes)
        values = metric.values.get(name)
        found[name] = part.choice(name, name, values) if values else part.text(name, "text", _ANY)
    return found


def _indicator(total: Callable[[Labels], str], errors: Callable[[Labels], str]) -> Indicator:
    """What there is of all together and of each target. total, errors: expressions that keep these labels."""
    return Indicator(total(()), errors(()), _share(total, errors))


def _counted(total: Callable[[Labels], str], bad: Callable[[Labels], str]) -> Indicator:
    """The same where the bad ones are counted: these have no series where nothing was bad so far."""
    return Indicator(total(()), f"{bad(())} or 0 * {total(())}", _share(total, bad))


def _share(total: Callable[[Labels], str], errors: Callable[[Labels], str]) -> str:
    return f"({errors(TARGET)}) / {total(TARGET)}"
