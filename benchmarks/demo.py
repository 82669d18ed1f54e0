"""The demo, `alluse demo`, as it runs: its makers' published figures, read off its `/metrics`."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from measure import Row

_SECONDS = 30
_RATE = 50  # workflows a second


class Figures:
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


def rows() -> Iterator[Row]:
    """One run of the real program in a process of its own, scraped once at its end."""
    figures = Figures(_run())
    yield caching(figures)
    stage = figures.mean(
        "engine_stage_duration_seconds", engine_stage_name="classify_week", engine_stage_outcome="ok"
    )
    yield Row("week classification, mean", "published: 0.1 ms", stage * 1e3, "ms", target=0.1)
    reused = "pool_acquisitions_total", {"pool_acquisition_source": "reused"}
    hits = "cache_requests_total", {"cache_request_type": "hit"}
    yield _share(figures, "object pool reuse", "published: 95 %", 0.95, *reused, {"pool_kind": "object"})
    yield _share(figures, "connection reuse", "published: 85 %", 0.85, *reused, {"pool_kind": "connection"})
    yield _share(figures, "market data hits", "published: 95 %", 0.95, *hits, {"cache_name": "market_data"})
    workflow = figures.mean("engine_stage_duration_seconds", engine_stage_name="workflow", engine_stage_outcome="ok")
    yield Row("whole workflow, mean, with the book", "published: 0.56 ms", workflow * 1e3, "ms")
    order = figures.mean("engine_stage_duration_seconds", engine_stage_name="place_order", engine_stage_outcome="ok")
    yield Row("order latency, mean", "published: 15.5 ms", order * 1e3, "ms", target=15.5)
    yield Row(
        "resident memory of the demo, without its table's process",
        "published: 100 MB",
        figures.total("process_memory_usage_bytes") / 1e6,
        "MB",
        target=100,
        at_most=True,
    )
    yield Row("figures at /metrics", "published: 228", figures.count, "series", target=228, at_most=False)


def caching(figures: Figures) -> Row:
    """What a miss of the classification costs, over what a hit costs.

    Each call looks the answer up, and one that misses computes it as well, which the cache times. So the
    stage's time less that of the loads, over all calls, is a lookup, which is all that a hit is; and a miss
    is a lookup and a load. What a miss costs beyond its load counts as lookup, against the ratio.
    """
    stage = {"engine_stage_name": "classify_week", "engine_stage_outcome": "ok"}
    load = {"cache_name": "week_classes", "cache_load_outcome": "ok"}
    calls = figures.total("engine_stage_duration_seconds_count", **stage)
    misses = figures.total("cache_load_duration_seconds_count", **load)
    loading = figures.total("cache_load_duration_seconds_sum", **load)
    hit = (figures.total("engine_stage_duration_seconds_sum", **stage) - loading) / calls
    miss = hit + loading / misses
    return Row(
        "function caching: a classification that misses, over one that hits",
        "published: 36.8x",
        miss / hit,
        "x",
        target=36.8,
        at_most=False,
        detail=f"{miss * 1e3:.3f} ms against {hit * 1e3:.4f} ms, from {misses:,.0f} misses in {calls:,.0f} calls",
    )


def _share(
    figures: Figures, name: str, theirs: str, target: float, metric: str, which: dict[str, str], of: dict[str, str]
) -> Row:
    part = figures.total(metric, **which, **of)
    whole = figures.total(metric, **of)
    return Row(name, theirs, part / whole, "ratio", target, at_most=False, detail=f"{part:,.0f} of {whole:,.0f}")


def _run() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    alluse = [sys.executable, "-m", "alluse"]
    command = [*alluse, "demo", "--port", str(port), "--control-port", "0", "--rate", str(_RATE), "--calm"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([*command, "--log-file", f"{folder}/log"], stdout=subprocess.DEVNULL) as program,
    ):
        try:
            time.sleep(_SECONDS)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        finally:
            program.terminate()
