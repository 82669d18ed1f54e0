"""One scrape of a target: every sample with its labels, and when it was taken."""

import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlunsplit

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from manometer.cli.request import TIME_OUT, TargetError, WrongTargetError, get, place

__all__ = ["Labels", "Scrape", "fetch", "metrics_url", "parse"]

Labels = frozenset[tuple[str, str]]


class Scrape(NamedTuple):
    """Samples by name, then by labels; `at` is in seconds of a monotonic clock."""

    at: float
    samples: Mapping[str, Mapping[Labels, float]]


def metrics_url(address: str) -> str:
    """Complete an address to the URL of its figures; ConfigError where it is none.

    It may have user and password, as in http://user:password@host:9464. `without_secrets` finds them in the result.
    """
    parts = place(address, "a program", "http://127.0.0.1:9464")
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else "/metrics", fragment=""))


def fetch(url: str, seconds: float = TIME_OUT) -> Scrape:
    """Scrape the target; TargetError or WrongTargetError with the reason where that fails.

    seconds: that the target may take to answer; the figures are read from its answer after that.
    """
    answer = get(url, "text/plain;version=0.0.4", seconds)
    if answer.status >= 400:
        kind = WrongTargetError if answer.status < 500 else TargetError  # a program that starts may answer 503
        raise kind(f"it answered {answer.status} {answer.reason}")
    at = time.monotonic()
    try:
        return parse(answer.body.decode(), answer.content_type, at=at)
    except ValueError:
        raise WrongTargetError("its answer is not in Prometheus's format") from None


def parse(body: str, content_type: str = "text/plain", *, at: float) -> Scrape:
    """Read an exposition; ValueError where it is malformed."""
    read = (
        openmetrics_parser.text_string_to_metric_families
        if content_type == "application/openmetrics-text"
        else parser.text_string_to_metric_families
    )
    samples: dict[str, dict[Labels, float]] = {}
    try:
        for family in read(body):
            for sample in family.samples:
                samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = float(sample.value)
    except (LookupError, TypeError, AttributeError) as error:  # what the parsers raise too for what they cannot read
        raise ValueError(str(error)) from error
    return Scrape(at, samples)
