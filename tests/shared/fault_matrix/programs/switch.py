"""Whether a trouble is on, and how long a round of a program takes."""

import sys
from threading import Event, Thread

__all__ = ["PAUSE", "Switch"]

PAUSE = 0.2  # seconds between two rounds


class Switch:
    """Whether the trouble is on, told line by line on the standard input. lasts: for how many seconds."""

    def __init__(self, lasts):
        self.lasts = lasts
        self.on, self.ended = Event(), Event()
        Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in sys.stdin:
            (self.on.set if line.strip() == "on" else self.on.clear)()
        self.ended.set()
