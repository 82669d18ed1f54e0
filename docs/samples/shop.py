"""A program that runs until it is told to end: it starts in order, is ready, and stops in reverse."""

import sys
from queue import Empty, Queue
from threading import Event, Thread
from typing import Self

import manometer


class Shop:
    """Packs orders in a thread; at its end, those that have come in are packed first."""

    def __init__(self) -> None:
        self.orders: Queue[str] = manometer.instrument_queue(Queue(1000), name="orders")
        self._ends = Event()
        self._packer = Thread(target=self._pack, name="packer")

    def __enter__(self) -> Self:
        self._packer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ends.set()
        self._packer.join()

    def is_packing(self) -> bool:
        """Whether somebody still takes orders out of the queue."""
        return self._packer.is_alive()

    def _pack(self) -> None:
        while True:
            try:
                order = self.orders.get(timeout=0.2)
            except Empty:
                if self._ends.is_set():
                    return
                continue
            with manometer.stage("pack", engine="shop"):
                sys.stdout.write(f"packed {order}\n")


def main() -> None:
    """Run the shop. The exit status is 0 where somebody asked for the end, and 1 after an exception."""
    with manometer.Life() as life:
        life.start(manometer.Manometer())  # /startupz and /readyz say 503 from here on
        shop = life.start(Shop())
        manometer.check("packer", shop.is_packing, groups=["live"], interval=5)
        life.ready()
        life.wait()  # for SIGTERM or Ctrl-C; MANOMETER_DRAIN_TIME passes here


if __name__ == "__main__":
    main()
