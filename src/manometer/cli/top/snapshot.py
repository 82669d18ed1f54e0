"""One scrape of a target: every sample with its labels, and when it was taken."""

import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from manometer.errors import ConfigError, ManometerError

__all__ = ["Labels", "Snapshot", "TargetError", "fetch", "metrics_url", "parse"]

TIME_OUT = 5.0

Labels = frozenset[tuple[str, str]]


class TargetError(ManometerError):
    """A target that did not answer with figures."""


class Snapshot(NamedTuple):
    """Samples by name, then by labels; `at` is in seconds of a monotonic clock."""

    at: float
    samples: Mapping[str, Mapping[Labels, float]]


def metrics_url(address: str) -> str:
    """Complete an address to the URL of its figures; ConfigError where it is none."""
    whole = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(whole)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known:
        raise ConfigError(f"{address!r} is no address of a program; write it as http://127.0.0.1:9464")
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else "/metrics", fragment=""))


def fetch(url: str) -> Snapshot:
    """Scrape the target; TargetError with the reason where that fails."""
    # No proxy from the environment: it would stand between this program and its neighbour.
    opener = build_opener(ProxyHandler({}))
    request = Request(url, headers={"Accept": "text/plain;version=0.0.4"})  # noqa: S310 - http alone, see metrics_url
    try:
        with opener.open(request, timeout=TIME_OUT) as answer:
            body, content_type = answer.read().decode(), answer.headers.get_content_type()
        return parse(body, content_type, at=time.monotonic())
    except HTTPError as error:
        raise TargetError(f"it answered {error.code} {error.reason}") from None
    except URLError as error:
        raise TargetError(str(getattr(error.reason, "strerror", None) or error.reason).lower()) from None
    except ValueError:
        raise TargetError("its answer is not in Prometheus's format") from None
    except (OSError, HTTPException) as error:
        raise TargetError(str(error).lower() or type(error).__name__) from None


def parse(body: str, content_type: str = "text/plain", *, at: float) -> Snapshot:
    """Read an exposition; ValueError where it is malformed."""
    read = (
        openmetrics_parser.text_string_to_metric_families
        if content_type == "application/openmetrics-text"
        else parser.text_string_to_metric_families
    )
    samples: dict[str, dict[Labels, float]] = {}
    for family in read(body):
        for sample in family.samples:
            samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = float(sample.value)
    return Snapshot(at, samples)
