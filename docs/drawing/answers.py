"""What a Prometheus answers to the queries of a panel."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

POINTS = 80
"""Points of a graph."""


class Series(NamedTuple):
    """A series of an answer. points: Unix times and figures; ref: the query that it answers."""

    name: str
    labels: Mapping[str, str]
    points: list[tuple[float, float]]
    ref: str

    @property
    def last(self) -> float:
        """The latest figure."""
        return self.points[-1][1]


class Asked(Protocol):
    """What answers the targets of a dashboard. start, end: Unix times of what is shown."""

    start: float
    end: float

    def __call__(self, target: dict[str, Any]) -> list[Series]:
        """The series that a target of a panel has."""


class Prometheus:
    """The answers of a Prometheus about the last seconds, or those before an end; all of them about the same times.

    chosen: values of variables of the dashboard; of the others all are chosen.
    """

    def __init__(self, url: str, seconds: float, end: float | None = None, **chosen: str) -> None:
        self._url, self._step, self.end = url, max(seconds / POINTS, 1), end or time.time()
        self.start, self._chosen = self.end - seconds, chosen

    def __call__(self, target: dict[str, Any]) -> list[Series]:
        """See Asked."""
        promql, legend, ref = self._substituted(target["expr"]), target["legendFormat"], target["refId"]
        if target.get("instant"):
            found = _api(self._url, "query", query=promql, time=self.end)
            answered = [(each["metric"], [each["value"]]) for each in found if "value" in each]
        else:
            found = _api(self._url, "query_range", query=promql, start=self.start, end=self.end, step=self._step)
            answered = [(each["metric"], each["values"]) for each in found if "values" in each]
        return [
            Series(_named(legend, labels), labels, [(at, float(value)) for at, value in points], ref)
            for labels, points in answered
        ]

    def _substituted(self, promql: str) -> str:
        values = {
            **self._chosen,
            "__rate_interval": f"{max(4 * self._step, 20):.0f}s",
            "__interval": f"{self._step:.0f}s",
            "__range": f"{self.end - self.start:.0f}s",
        }
        return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], ".+"), promql)


def _api(url: str, path: str, **parameters: Any) -> list[dict[str, Any]]:
    asked = f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - http, and this machine
        return json.load(answer)["data"]["result"]


def _named(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), template)
