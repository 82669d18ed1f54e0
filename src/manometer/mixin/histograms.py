"""What histograms tell, in PromQL: of classic buckets, and of those that Prometheus holds as one native series.

Prometheus makes native histograms of classic ones where it is told so (`convert_classic_histograms_to_nhcb`). The
series `_bucket`, `_count` and `_sum` are gone then. So each expression has an alternative, which costs nothing while
there is no such series.
"""

from collections.abc import Mapping

from manometer.catalogue import MetricSpec
from manometer.mixin.promql import WINDOW, both, bound, by, either, increase, rate, select

__all__ = ["amounts", "buckets", "events", "grown", "per_second", "quantile", "share_over", "slow"]

_NONE: Mapping[str, str] = {}


def events(
    histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE, window: str = WINDOW
) -> str:
    """Events a second."""
    return per_second("_count", histogram, labels, matchers, window)


def amounts(
    histogram: MetricSpec, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE, window: str = WINDOW
) -> str:
    """What the events of a second add up to."""
    return per_second("_sum", histogram, labels, matchers, window)


def per_second(
    part: str, histogram: MetricSpec | str, labels: tuple[str, ...], matchers: Mapping[str, str], window: str
) -> str:
    """What a part of the histogram grows by a second: `_count` is its events, `_sum` what they add up to."""
    classic = by(labels, rate(select(histogram, matchers, part), window))
    return f"({either(classic, f'histogram{part}({_native(histogram, labels, matchers, window)})')})"


def grown(histogram: MetricSpec, matchers: Mapping[str, str], window: str) -> str:
    """How many events each bucket gained over the window; a native histogram holds its buckets within."""
    classic = by(("le",), increase(select(histogram, matchers, "_bucket"), window))
    return either(classic, f"sum({increase(select(_name(histogram), matchers), window)})")


def buckets(histogram: MetricSpec, labels: tuple[str, ...]) -> str:
    """What each bucket grows by a second: a series each, or one native histogram."""
    classic = by((*labels, "le"), rate(select(histogram, {}, "_bucket")))
    return either(classic, _native(histogram, labels, _NONE, WINDOW))


def slow(histogram: MetricSpec, seconds: float, labels: tuple[str, ...], matchers: Mapping[str, str] = _NONE) -> str:
    """Events a second that took longer. seconds: where a bucket ends, for only there it can be said exactly."""
    every = by(labels, rate(select(histogram, matchers, "_count")))
    fast = by(labels, rate(select(histogram, {**matchers, "le": bound(seconds)}, "_bucket")))
    native = _native(histogram, labels, matchers, WINDOW)
    classic = f"{every} - {fast}"
    return (
        f"({either(classic, f'histogram_count({native}) * (1 - histogram_fraction(-Inf, {seconds:g}, {native}))')})"
    )


def share_over(histogram: MetricSpec, seconds: float, labels: tuple[str, ...], every: str) -> str:
    """Share of the events that took longer; nothing where there were none.

    seconds: where a bucket ends. every: the series of all events a second that a rule records.
    """
    fast = by(labels, rate(select(histogram, {"le": bound(seconds)}, "_bucket")))
    # Of no events, the share in a native histogram is not a number, which passes no comparison.
    native = f"histogram_fraction(-Inf, {seconds:g}, {_native(histogram, labels, _NONE, WINDOW)}) >= 0"
    return f"1 - ({either(f'{fast} / ({every} > 0)', native)})"


def quantile(
    q: float,
    histogram: MetricSpec,
    labels: tuple[str, ...],
    matchers: Mapping[str, str] = _NONE,
    window: str = WINDOW,
) -> str:
    """What that share of the events did not pass; nothing, and not NaN, where there were none."""
    gained = by((*labels, "le"), rate(select(histogram, matchers, "_bucket"), window))
    observed = by(labels, rate(select(histogram, matchers, "_count"), window))
    classic = both(f"histogram_quantile({q}, {gained})", f"{observed} > 0")
    native = _native(histogram, labels, matchers, window)
    return either(classic, both(f"histogram_quantile({q}, {native})", f"histogram_count({native}) > 0"))


def _native(histogram: MetricSpec | str, labels: tuple[str, ...], matchers: Mapping[str, str], window: str) -> str:
    return by(labels, rate(select(_name(histogram), matchers), window))


def _name(histogram: MetricSpec | str) -> str:
    """A native histogram is one series, of this name; `select` takes a row of the catalogue for a classic one."""
    return histogram if isinstance(histogram, str) else histogram.prometheus_name
