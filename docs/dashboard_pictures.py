"""Draws docs/dashboards/*.svg: each dashboard with what a real Prometheus answers about a run of ALL-USE.

    make pictures

It takes ten minutes: rules look back five. Half-way the broker begins to fail, and connections to be held. Analytics
need days, so that their dashboard has a simulated past instead.
"""

import json
import sys
import time
from pathlib import Path

from drawing.answers import Prometheus
from drawing.board import board
from simulated_past import simulated_past

from alluse.configuration import Both, Configuration
from alluse.faults import Fault
from alluse.inbox import Inbox
from alluse.service import Service
from alluse.stack import Stack
from manometer import Life

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "dashboards"
PLACES = ("dashboards", "compose/grafana/dashboards")
ANALYTICS = "analytics"
SECONDS = 480
FAULTS = (Fault("failing-broker", 0.3), Fault("exhausted-pool", 0.6), Fault("cold-cache", 0.05))


def draw(folder: Path, seconds: int = SECONDS) -> None:
    """Run the engine for so many seconds beside a Prometheus, and draw each dashboard."""
    settings = Both(Configuration(metrics={"port": 0, "health_interval": 10.0}))
    with Life(settings.metrics, signals=False) as life:
        running = Service(settings).start(life)
        inbox = life.start(Inbox(port=0, heard=lambda _: None, refused=lambda _: None))
        address = running.metrics_url.removeprefix("http://")
        with Stack(ROOT, engine=address, inbox=inbox.address, every=1) as stack:
            for share in range(2):
                for fault in FAULTS if share else ():
                    running.engine.faults.start(fault)
                time.sleep(seconds / 2)
            ask = Prometheus(stack.prometheus_url, seconds)
            folder.mkdir(exist_ok=True)
            for path in (path for place in PLACES for path in (ROOT / place).glob("*.json")):
                if path.stem != ANALYTICS:
                    _draw(path, folder, ask)


def draw_analytics(folder: Path) -> None:
    """Draw the last day of a simulated past."""
    with simulated_past() as (url, end):
        ask = Prometheus(url, 24 * 3600, end, signal="latency")
        _draw(ROOT / "dashboards" / f"{ANALYTICS}.json", folder, ask)


def _draw(dashboard: Path, folder: Path, ask: Prometheus) -> None:
    picture = folder / f"{dashboard.stem}.svg"
    picture.write_text(board(json.loads(dashboard.read_text()), ask), encoding="utf-8")
    sys.stdout.write(f"{picture}\n")


if __name__ == "__main__":
    draw(PICTURES)
    draw_analytics(PICTURES)
