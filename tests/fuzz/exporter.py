"""The exporter that is fuzzed, as a process: its metrics change all the time, and its collectors have bad days.

Prints its address, and serves until its standard input ends.
"""

import logging
import random
import sys
import time
from threading import Thread

from prometheus_client import CollectorRegistry, Metric

from manometer import Counter, Gauge, Histogram, Manometer
from manometer.config import Settings

COLLECTOR_SECONDS = 2.0
"""Seconds that a collector may take: a busy machine may need one."""


class PlannedError(Exception):
    """What the collector below raises, and no fault."""


class Moody:
    """A collector that answers, raises, or takes longer than it may."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def describe(self) -> list[Metric]:
        return [Metric("moody", "Help.", "gauge")]

    def collect(self) -> list[Metric]:
        mood = self._chance.random()
        if mood < 0.02:
            raise PlannedError
        if mood < 0.04:
            time.sleep(1.5 * COLLECTOR_SECONDS)
        metric = Metric("moody", "Help.", "gauge")
        metric.add_sample(
            "moody", {"mood": 'new\nline \\ "quote" é\u2028\ud800'.encode(errors="replace").decode()}, mood
        )
        return [metric]


def change(registry: CollectorRegistry, chance: random.Random) -> None:
    """Count, and make and remove series, for ever."""
    events = Counter("events", "Help.", registry=registry)
    requests = Counter("requests", "Help.", ["path"], registry=registry)
    seconds = Histogram("work_seconds", "Help.", ["stage"], registry=registry)
    depth = Gauge("depth", "Help.", ["queue"], registry=registry)
    while True:
        for _ in range(200):
            events.inc()
            requests.labels(chr(chance.randrange(32, 0xD000)) * chance.randrange(1, 40)).inc()
            seconds.labels(str(chance.randrange(40))).observe(chance.random())
            depth.labels(str(chance.randrange(20))).set(chance.random())
        depth.remove(str(chance.randrange(20)))
        time.sleep(0.01)


def _is_no_plan(record: logging.LogRecord) -> bool:
    """Whether it is neither what Moody does nor a collector that a busy machine gave no time to."""
    return not (record.exc_info and isinstance(record.exc_info[1], PlannedError | TimeoutError))


def main(seed: int) -> None:
    """Serve. seed: of what changes, and of the moods."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    logging.getLogger("manometer").addFilter(_is_no_plan)
    registry = CollectorRegistry()
    registry.register(Moody(random.Random(f"{seed} moody")))
    Thread(target=change, args=(registry, random.Random(f"{seed} change")), daemon=True).start()
    with Manometer(Settings(port=0, collector_timeout=COLLECTOR_SECONDS), registry=registry) as manometer:
        sys.stdout.write(f"{manometer.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
