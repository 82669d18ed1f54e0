"""What happened between two scrapes: rates and quantiles as Prometheus reckons them."""

from collections.abc import Iterator, Mapping
from math import inf, isnan
from typing import NamedTuple

from manometer.catalogue import label
from manometer.cli.top.scrape import Labels, Scrape

__all__ = ["Interval", "quantile"]


_NONE: Mapping[str, str] = {}


class Interval(NamedTuple):
    """Two scrapes of one target. Where there is no data the answer is None, never 0."""

    before: Scrape
    after: Scrape

    def gauge(self, name: str, attributes: Mapping[str, str] = _NONE) -> float | None:
        """The sum of the series with these attributes, at the later scrape."""
        return _sum(value for _, value in _matching(self.after, name, attributes) if not isnan(value))

    def rate(self, name: str, attributes: Mapping[str, str] = _NONE) -> float | None:
        """How much the counters with these attributes grew in a second, together."""
        return _sum(rate for _, rate in self._rates(name, attributes))

    def quantile(self, q: float, name: str, attributes: Mapping[str, str] = _NONE) -> float | None:
        """The q-quantile of what the histograms with these attributes observed between the scrapes."""
        buckets: dict[float, float] = {}
        for series, rate in self._rates(f"{name}_bucket", attributes):
            bound = float(dict(series)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + rate
        return quantile(q, buckets)

    def finest(self, name: str, attributes: Mapping[str, str] = _NONE) -> float | None:
        """The lowest bound that the histograms with these attributes have: they cannot tell values under it apart."""
        bounds = (dict(series)["le"] for series, _ in _matching(self.after, f"{name}_bucket", attributes))
        return min(map(float, bounds), default=None)

    def identities(self, name: str, *attributes: str) -> list[tuple[str, ...]]:
        """The values that these attributes have among the metric's series at the later scrape, sorted."""
        labels = list(map(label, attributes))
        found = (dict(series) for series in self.after.samples.get(name, {}))
        return sorted({tuple([series.get(each, "") for each in labels]) for series in found})

    def _rates(self, name: str, attributes: Mapping[str, str]) -> Iterator[tuple[Labels, float]]:
        """The growth in a second of every counter seen at both scrapes.

        One that fell was reset, and grew from 0 since: Prometheus's `rate` takes it so too.
        """
        seconds = self.after.at - self.before.at
        earlier = self.before.samples.get(name, {})
        for series, value in _matching(self.after, name, attributes):
            if series in earlier and seconds > 0:
                start = earlier[series]
                yield series, (value - start if value >= start else value) / seconds


def quantile(q: float, buckets: dict[float, float]) -> float | None:
    """The q-quantile of cumulative bucket counts by upper bound; None without observations.

    Source: Prometheus, `histogram_quantile` for classic histograms: linear within the bucket that the
    rank falls in; the lowest bucket begins at 0 where its bound is positive, and is its bound
    otherwise; in the highest, +Inf, the answer is the bound below it.
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != inf:
        return None
    counts: list[float] = []
    for bound in bounds:  # each at least the one below: scrapes of a running program may be torn
        counts.append(max(buckets[bound], counts[-1] if counts else 0.0))
    if not counts[-1] > 0:
        return None
    rank = q * counts[-1]
    at = next(index for index, count in enumerate(counts) if count >= rank)
    if at == len(bounds) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    low, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    inside = counts[at] - below
    return low + (bounds[at] - low) * ((rank - below) / inside if inside else 0.0)


def _matching(scrape: Scrape, name: str, attributes: Mapping[str, str]) -> Iterator[tuple[Labels, float]]:
    wanted = {(label(name), value) for name, value in attributes.items()}
    for series, value in scrape.samples.get(name, {}).items():
        if wanted <= series:
            yield series, value


def _sum(values: Iterator[float]) -> float | None:
    found = list(values)
    return sum(found) if found else None
