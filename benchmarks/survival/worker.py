"""A worker process that counts events until SIGTERM: worker.py NUMBER DIRECTORY ACCOUNT [--grows] [--user ID]

It prints the address of its figures. Each event goes to a series of its own number, and to the account. Every other
worker writes its figures by `flush` too, and then knows how many events are written. With --grows it has ever more
series, and so needs ever more room; with --user it gives up its rights once all is imported.
"""

import argparse
import os
import signal
import time
from pathlib import Path

from account import Account

import manometer
import manometer.processes  # now: as another user it might not be found

_WRITES_EVERY = 200
_EVENTS_AT_ONCE, _PAUSE = 5, 0.005  # about a thousand a second
_SERIES = 5_000


def main() -> None:
    """Count until SIGTERM."""
    parser = argparse.ArgumentParser()
    for name in ("number", "directory", "account"):
        parser.add_argument(name)
    parser.add_argument("--grows", action="store_true")
    parser.add_argument("--user", type=int)
    given = parser.parse_args()
    if given.user is not None:
        os.setgid(given.user)
        os.setuid(given.user)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    events = manometer.Counter("events", "Events.", ["worker"]).labels(given.number)
    grown = manometer.Counter("grown", "Series.", ["worker", "series"], max_series=2 * _SERIES)
    account = Account(Path(given.account))
    running = manometer.start(port=0, processes_dir=given.directory)
    print(running.url, flush=True)
    step = 0
    while not asked:
        for _ in range(_EVENTS_AT_ONCE):
            account.add(time.monotonic())
            events.inc()
        step += 1
        if given.grows:
            grown.labels(given.number, str(step % _SERIES)).inc()
        elif int(given.number) % 2 and step % _WRITES_EVERY == 0:
            counted = account.counted
            if manometer.flush():
                account.written = counted
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main()
