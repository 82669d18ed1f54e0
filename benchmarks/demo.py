"""ALL-USE running as in the demo: its makers' published figures, read off `/metrics`."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from measure import Row

_SECONDS = 30
_RATE = 50  # workflows a second


def rows() -> Iterator[Row]:
    """One run of the real program in a process of its own, scraped once at its end."""
    figures = _Figures(_run())
    load = figures.mean("cache_load_duration_seconds", cache="week_classes", outcome="ok")
    stage = figures.mean("engine_stage_duration_seconds", stage="classify_week", outcome="ok")
    yield Row(
        "function caching: a classification that misses, over the mean one",
        "36.8x",
        load / stage,
        "x",
        target=36.8,
        at_most=False,
        detail=f"{load * 1e3:.3f} ms against {stage * 1e3:.4f} ms",
    )
    yield Row("week classification, mean", "0.1 ms", stage * 1e3, "ms", target=0.1)
    yield _share(
        figures, "object pool reuse", "95 %", 0.95, "pool_acquisitions_total", "source", "reused", kind="object"
    )
    yield _share(
        figures, "connection reuse", "85 %", 0.85, "pool_acquisitions_total", "source", "reused", kind="connection"
    )
    yield _share(
        figures, "market data hits", "95 %", 0.95, "cache_requests_total", "result", "hit", cache="market_data"
    )
    workflow = figures.mean("engine_stage_duration_seconds", stage="workflow", outcome="ok")
    yield Row("whole workflow, mean, with the book", "0.56 ms", workflow * 1e3, "ms")
    order = figures.mean("engine_stage_duration_seconds", stage="place_order", outcome="ok")
    yield Row("order latency, mean", "15.5 ms", order * 1e3, "ms", target=15.5)
    yield Row(
        "resident memory",
        "100 MB",
        figures.total("process_resident_memory_bytes") / 1e6,
        "MB",
        target=100,
        at_most=True,
    )
    yield Row("figures at /metrics", "228", figures.count, "series", target=228, at_most=False)


class _Figures:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    @property
    def count(self) -> int:
        return len(self._samples)

    def total(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def mean(self, name: str, **labels: str) -> float:
        return self.total(f"{name}_sum", **labels) / self.total(f"{name}_count", **labels)


def _share(
    figures: _Figures, name: str, theirs: str, target: float, metric: str, label: str, value: str, **labels: str
) -> Row:
    part = figures.total(metric, **labels, **{label: value})
    whole = figures.total(metric, **labels)
    return Row(name, theirs, part / whole, "ratio", target, at_most=False, detail=f"{part:,.0f} of {whole:,.0f}")


def _run() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    alluse = Path(sys.executable).with_name("alluse")
    command = [str(alluse), "run", "--port", str(port), "--control-port", "0", "--rate", str(_RATE)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
        try:
            time.sleep(_SECONDS)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        finally:
            program.terminate()
