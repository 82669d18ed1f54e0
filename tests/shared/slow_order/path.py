"""The path of a slow order: Alertmanager's notification, an exemplar in Prometheus, its trace, and its log line."""

import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from fault_matrix.expectations import THRESHOLDS
from fault_matrix.observatory import Observatory
from fault_matrix.pace import Pace
from fault_matrix.subjects import Alluse, Settings
from otlp_collector import forwarding
from posted import Catcher
from slow_order.spans import SpanStore
from waiting import until

__all__ = ["ALERT", "PACE", "PROMISED", "STAGE", "TRACE_RATIO", "Followed", "follow"]

PACE = 6
"""How many times as fast as shipped the rules and Alertmanager go."""
TRACE_RATIO = 0.01
"""The share of the traces that are recorded: so the path holds for those too that nobody chose beforehand."""
STAGE = "place_order"
ALERT = "EngineLatencyHigh"
PROMISED = 0.25
"""Seconds that a run of a stage may take by the rules."""

_JOB = "alluse"
_FAULT_RATE = 0.5
_ROOT = Path(__file__).parents[3]
_SLOWEST = "job_engine_name_engine_stage_name:engine_stage_duration_seconds:p99_rate5m"
_EXEMPLARS = f'engine_stage_duration_seconds_bucket{{job="{_JOB}", engine_stage_name="{STAGE}"}}'


@dataclass(frozen=True)
class Followed:
    """What there was to see at each step.

    notification: what Alertmanager sent, as it came. query, slowest: what Prometheus was asked, and each stage's
    answer in seconds. exemplars, exemplar: what it was asked for the exemplars, and the one that is followed.
    spans: those of its trace, the earliest first. lines: those of the log with the trace's id.
    """

    notification: dict
    query: str
    slowest: dict
    exemplars: str
    exemplar: dict
    spans: list
    lines: list

    def json(self):
        """For the record."""
        return asdict(self)


def follow(collector, folder, say=lambda text: None):
    """Make the broker of ALL-USE slow, and follow one of its orders. collector: rotel's program."""
    with ExitStack() as started:
        notifications, spans = [], SpanStore()
        pager = _catching(started, lambda _, __, body: notifications.append(json.loads(body)))
        behind = _catching(started, lambda _, headers, body: spans.take(headers, body))
        collected = started.enter_context(forwarding(collector, folder, behind.url))
        alluse = Alluse(
            Settings(folder / _JOB, health_interval=5, lasts=3600),
            *("slow-broker", _FAULT_RATE),
            environ={
                "OTEL_SERVICE_NAME": _JOB,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collected.http,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_BSP_SCHEDULE_DELAY": "500",
                "MANOMETER_TRACE_RATIO": str(TRACE_RATIO),
                "MANOMETER_SLOW_RUN_SECONDS": str(PROMISED),
            },
        )
        started.callback(alluse.close)
        (folder / "observatory").mkdir()
        watched = {_JOB: alluse.address}
        at = pager.url.removeprefix("http://")
        prometheus = Observatory(_ROOT, folder / "observatory", watched, _Address(at), Pace(PACE), THRESHOLDS)
        started.callback(prometheus.close)
        say("the broker becomes slow")
        alluse.begin()
        notification = until(lambda: next(filter(_tells, notifications), None), lambda: f"{ALERT} was not sent")
        say(f"{ALERT} was sent")
        slowest = until(lambda: _slowest(prometheus), lambda: "no quantiles were recorded")
        exemplar = until(lambda: _exemplar(prometheus, spans), lambda: "no exemplar leads to a trace")
        say("the trace of an exemplar is at the collector")
        log = folder / _JOB / "log"
        lines = until(lambda: _lines(log, exemplar["labels"]["trace_id"]), lambda: "no line of the log has its id")
        found = spans.of(exemplar["labels"]["trace_id"])
        return Followed(notification, _SLOWEST, slowest, _EXEMPLARS, exemplar, found, lines)


@dataclass(frozen=True)
class _Address:
    """Where Alertmanager sends to."""

    address: str


def _catching(started, take):
    catcher = Catcher(take)
    started.callback(catcher.close)
    return catcher


def _tells(notification):
    return any(each["status"] == "firing" and _is_about_stage(each["labels"]) for each in notification["alerts"])


def _is_about_stage(labels):
    return labels["alertname"] == ALERT and labels.get("engine_stage_name") == STAGE


def _slowest(prometheus):
    """The 99th percentile of each stage in seconds, the slowest first; nothing while the slow stage is not in it."""
    found = prometheus.ask("query", query=_SLOWEST)["result"]
    seconds = {each["metric"]["engine_stage_name"]: float(each["value"][1]) for each in found}
    return dict(sorted(seconds.items(), key=lambda pair: -pair[1])) if seconds.get(STAGE, 0) > PROMISED else None


def _exemplar(prometheus, spans):
    """The latest exemplar of a slow order whose whole trace is at the collector."""
    now = time.time()
    found = prometheus.ask("query_exemplars", query=_EXEMPLARS, start=now - 300, end=now)
    exemplars = [each for series in found for each in series["exemplars"] if float(each["value"]) > PROMISED]
    for each in sorted(exemplars, key=lambda exemplar: -exemplar["timestamp"]):
        trace = spans.of(each["labels"]["trace_id"])
        if any(span["parent_id"] == "" for span in trace) and any(span["name"] == STAGE for span in trace):
            return each
    return None


def _lines(log, trace_id):
    """Those of the trace; a line that is being written is none yet."""
    whole = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("}\n") and line[0] == "{"]
    return [line for line in map(json.loads, whole) if line.get("trace_id") == trace_id]
