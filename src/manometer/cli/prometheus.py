"""What a command asks a Prometheus, by its HTTP API: the value of an expression now."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlunsplit

from manometer.cli.request import TargetError, get, place
from manometer.errors import ManometerError
from manometer.redaction import brief, without_secrets

__all__ = ["Prometheus", "PrometheusError", "Series"]

_PATIENCE = 30.0  # seconds: a query over an hour of a large server takes some


class PrometheusError(ManometerError):
    """A Prometheus that cannot be asked, or that refuses a query."""


class Series(NamedTuple):
    """One series of an answer."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A Prometheus, or what answers as one does (Thanos, Mimir, VictoriaMetrics).

    address: such as http://127.0.0.1:9090, with user and password where it needs them, and the path before /api where
    it has one. Raises ConfigError where that is no address.
    """

    def __init__(self, address: str) -> None:
        parts = place(address, "a Prometheus", "http://127.0.0.1:9090")
        self._base = urlunsplit(parts._replace(path=parts.path.rstrip("/"), query="", fragment=""))
        self.name = without_secrets(self._base)
        """Its address as people may see it."""

    def query(self, promql: str) -> list[Series]:
        """The series of an instant vector or a scalar now, those without a value left out.

        Raises PrometheusError where that cannot be had.
        """
        data = self._data(f"query?query={quote(promql)}", promql)
        try:
            kind, result = data["resultType"], data["result"]
            found = [({}, result)] if kind == "scalar" else [(each["metric"], each["value"]) for each in result]
            series = [Series(labels, float(value)) for labels, (_, value) in found]
        except (LookupError, TypeError, ValueError):
            raise PrometheusError(f"the query has no value of now, but a range or a text: {brief(promql)}") from None
        return [each for each in series if not math.isnan(each.value)]

    def _data(self, path: str, promql: str) -> Any:
        try:
            answer = get(f"{self._base}/api/v1/{path}", "application/json", _PATIENCE)
        except TargetError as error:
            raise PrometheusError(f"{self.name} cannot be asked: {error}; is it running?") from None
        try:
            document = json.loads(answer.body)
            if document["status"] == "success":
                return document["data"]
            refusal = str(document["error"])
        except (ValueError, LookupError, TypeError):
            raise PrometheusError(
                f"{self.name} is no Prometheus: it answered {answer.status} {answer.reason}, and not as its API does"
            ) from None
        raise PrometheusError(f"{self.name} refused a query: {brief(refusal)} ({brief(promql)})")
