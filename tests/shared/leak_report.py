"""ALL-USE leaks, and leaves a report of it: `python tests/shared/leak_report.py` keeps that for docs.

A period of ten minutes takes a second here, and the measurement of two minutes takes four.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from waiting import DEADLINE, until

__all__ = ["block", "report_of_leak"]

_RECORD = Path(__file__).with_name("leak_report.txt")
_PROGRAM = """
import sys
from alluse.cli import main
from manometer.heap import watch

watch.PERIOD, watch.MEASURED = 1.0, 4.0
sys.exit(main(["run", "--port", "0", "--control-port", "0", "--rate", "5", "--fault", "leaking-memory=0.2"]))
"""


def report_of_leak(folder):
    """The report of a process that keeps 3.2 MB more each second."""
    report = folder / "memory.txt"
    environ = os.environ | {"MANOMETER_MEMORY_REPORT": str(report), "MANOMETER_SERVICE_NAME": "alluse"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM], env=environ, stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: report.exists() or process.poll() is not None, (folder / "log").read_text)
        return report.read_text()
    finally:
        process.terminate()
        process.wait(DEADLINE)


def block():
    """The committed report, in Markdown."""
    return f"```text\n{_RECORD.read_text()}```"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="manometer-leak-") as place:
        _RECORD.write_text(report_of_leak(Path(place)))
    sys.stdout.write(_RECORD.read_text())
