"""A receiver of spans that is not there, then one that never answers, and then one that is well."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry

import manometer
from otlp_receiver import Receiver

__all__ = ["dead_receiver"]

_SECONDS = 5.0
_A_SECOND = 500  # stages


def dead_receiver(port: int) -> dict[str, Any]:
    """Run stages throughout, each a span. port: where nobody listens."""
    registry = CollectorRegistry()
    settings = manometer.Settings(port=0, otlp_endpoint=f"http://127.0.0.1:{port}")
    runs: list[float] = []
    with manometer.Manometer(settings, registry=registry) as running:
        runs += _run(registry)
        receiver = Receiver()
        receiver.held_up.clear()
        running.reload(manometer.Settings(port=0, otlp_endpoint=receiver.url))
        runs += _run(registry)
        receiver.held_up.set()
        runs += _run(registry)
        began = time.monotonic()
    closing = time.monotonic() - began
    receiver.close()
    told = {outcome: int(_value(registry, outcome)) for outcome in ("ok", "error", "rejected")}
    counted = registry.get_sample_value("engine_stage_duration_seconds_count", _STAGE)
    wrong = [f"{len(runs)} stages ran, and {counted} were counted"] * (counted != len(runs))
    wrong += [f"{len(runs)} spans ended, and {told} were counted"] * (sum(told.values()) != len(runs))
    wrong += [f"{told} were counted, and {len(receiver.spans)} came in"] * (len(receiver.spans) < told["ok"])
    return {
        "runs": len(runs),
        "spans": told,
        "received": len(receiver.spans),
        "longest_run": max(runs),
        "closing": closing,
        "wrong": wrong,
    }


_STAGE = {"engine_name": "survival", "engine_stage_name": "work", "engine_stage_outcome": "ok"}


def _run(registry: CollectorRegistry) -> Iterator[float]:
    """Run stages for a while; the seconds that each took."""
    ends = time.monotonic() + _SECONDS
    while (began := time.monotonic()) < ends:
        with manometer.stage("work", engine="survival", registry=registry):
            pass
        yield time.monotonic() - began
        time.sleep(1 / _A_SECOND)


def _value(registry: CollectorRegistry, outcome: str) -> float:
    return registry.get_sample_value("manometer_otlp_spans_total", {"manometer_otlp_span_outcome": outcome}) or 0.0
