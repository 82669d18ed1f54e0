"""A program whose histograms are native, under the names of the catalogue, as after a conversion by Prometheus.

    python native.py

It prints the address of its exporter, and observes durations until it is told to end.
"""

import random
import signal
import sys
import time

import manometer
from manometer.catalogue import SUBJECTS, Kind

SHOWN = ("cache", "pool", "queue", "engine")  # those of the runtime are Manometer's own, and classic


def main():
    """Run until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    observed = []
    for row in (row for name in SHOWN for row in SUBJECTS[name] if row.kind is Kind.HISTOGRAM):
        histogram = manometer.Histogram(row.prometheus_name, row.help, row.labels, buckets=(), native_schema=3)
        values = [row.values.get(name, ("main",)) for name in row.attributes]
        observed += [histogram.labels(*(each[place] for each in values)) for place in (0, -1)]
    program = manometer.Manometer(manometer.Settings.load(port=0))
    program.start()
    sys.stdout.write(f"{program.url}\n")
    sys.stdout.flush()
    while True:
        for each in observed:
            each.observe(random.expovariate(100))
        time.sleep(0.05)


if __name__ == "__main__":
    main()
