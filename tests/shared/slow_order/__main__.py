"""Follow a slow order on real servers, in about a minute: `python -m slow_order --record` keeps it for docs."""

import argparse
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from slow_order import record
from slow_order.path import follow


def main():
    """Follow one, and print what the page shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="keep it for docs/follow-a-slow-order.md")
    given, began = parser.parse_args(), time.monotonic()

    def say(text):
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {text}\n")

    with tempfile.TemporaryDirectory(prefix="manometer-slow-order-") as folder:
        followed = record.of(follow(str(files("rotel") / "rotel-agent"), Path(folder), say))
    if given.record:
        record.write(followed)
    for block in (record.notification, record.slowest, record.exemplar, record.trace, record.lines):
        sys.stdout.write(f"{block(followed)}\n\n")


if __name__ == "__main__":
    main()
