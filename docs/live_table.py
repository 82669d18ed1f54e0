"""Draws docs/live-table.svg: what `make demo` shows at the end of a run, while the broker is slow.

make picture
"""

import re
import sys
import time
from io import StringIO
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.terminal_theme import MONOKAI

from alluse.configuration import Both, Configuration
from alluse.faults import Fault
from alluse.service import Service
from manometer import Life
from manometer.cli.top.figures import board
from manometer.cli.top.interval import Interval
from manometer.cli.top.live import LiveView
from manometer.cli.top.scrape import fetch

PICTURE = Path(__file__).with_name("live-table.svg")
COLUMNS = 130
SECONDS = 30
SLOW = 8  # of these, with the fault

# Any monospaced font will do, in place of one that each reader's browser would have to fetch.
_FORM = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
)


def draw(picture: Path, seconds: int = SECONDS) -> None:
    """Run the engine for so many seconds, and draw the table."""
    console = Console(record=True, file=StringIO(), width=COLUMNS, highlight=False, color_system="truecolor")
    settings = Both(Configuration(metrics={"port": 0}))
    with Life(settings.metrics, signals=False) as life, LiveView("manometer top", console) as view:
        running = Service(settings).start(life)
        before = fetch(f"{running.metrics_url}/metrics")
        for second in range(seconds):
            if second == seconds - SLOW:
                running.engine.faults.start(Fault("slow-broker", 0.3))
            time.sleep(1)
            after = fetch(f"{running.metrics_url}/metrics")
            view.show(board(Interval(before, after)))
            before = after
    drawn = console.export_svg(title="make demo", theme=MONOKAI, code_format=_FORM, unique_id="live-table")
    picture.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"{picture}\n")


if __name__ == "__main__":
    draw(PICTURE)
