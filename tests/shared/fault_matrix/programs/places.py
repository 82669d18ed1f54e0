"""Troubles of what has places: pools and queues."""

import queue
import time
from collections.abc import Callable
from threading import BoundedSemaphore, Thread

from switch import PAUSE, Switch

import manometer

__all__ = ["TROUBLES"]


class _Pool:
    """So many places. `acquire` waits for one."""

    def __init__(self, limit):
        self.limit, self.in_use = limit, 0
        self._free = BoundedSemaphore(limit)

    def acquire(self):
        self._free.acquire()
        self.in_use += 1
        return object()

    def release(self, _):
        self.in_use -= 1
        self._free.release()


def filling_pool(switch: Switch) -> Callable[[], None]:
    """Has a pool that gets fuller evenly for a third of the time, and stays so: to less than nine tenths."""
    pool = manometer.instrument_pool(_Pool(40), name="slots")

    def one():
        if switch.on.wait(PAUSE):
            if pool.in_use < 0.85 * pool.limit:
                pool.acquire()
            switch.ended.wait(switch.lasts / 3 / (0.85 * pool.limit))
        else:
            while pool.in_use:
                pool.release(None)

    return one


def full_pool(switch: Switch) -> Callable[[], None]:
    """Has a pool whose places are all taken, and nobody who waits for one."""
    pool = manometer.instrument_pool(_Pool(10), name="slots")

    def one():
        while pool.in_use < (10 if switch.on.is_set() else 2):
            pool.acquire()
        while pool.in_use > (10 if switch.on.is_set() else 2):
            pool.release(None)
        time.sleep(PAUSE)

    return one


def crowded_pool(switch: Switch) -> Callable[[], None]:
    """Has a pool that is free most of the time, and many who come for a place at the same moment."""
    pool = manometer.instrument_pool(_Pool(4), name="slots")

    def hold():
        place = pool.acquire()
        time.sleep(0.6)
        pool.release(place)

    def one():
        coming = [Thread(target=hold) for _ in range(12 if switch.on.is_set() else 1)]
        for each in coming:
            each.start()
        for each in coming:
            each.join()
        time.sleep(3)

    return one


def _kept(waiting: "queue.Queue[int]", items: int) -> Callable[[], None]:
    def one():
        while waiting.qsize() > items:
            waiting.get()
        while waiting.qsize() < items:
            waiting.put(0)
        waiting.get()
        time.sleep(PAUSE)

    return one


def full_queue(switch: Switch) -> Callable[[], None]:
    """Has a queue that is nearly full, whose items are taken as fast as they come."""
    waiting = manometer.instrument_queue(queue.Queue(20), name="jobs")
    return lambda: _kept(waiting, 19 if switch.on.is_set() else 2)()


def slow_queue(switch: Switch) -> Callable[[], None]:
    """Has a queue without a bound, whose items are taken too slowly."""
    waiting = manometer.instrument_queue(queue.Queue(), name="jobs")
    return lambda: _kept(waiting, 200 if switch.on.is_set() else 2)()


TROUBLES = {
    "filling-pool": filling_pool,
    "full-pool": full_pool,
    "crowded-pool": crowded_pool,
    "full-queue": full_queue,
    "slow-queue": slow_queue,
}
