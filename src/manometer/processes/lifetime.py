"""What the workers of a process do when it forks, when it ends, and when the program asks all of them to write."""

import atexit
import os
from multiprocessing import util

from manometer.background import INTERPRETER
from manometer.flushing import flushed_by
from manometer.meters.fork import Forked, called_in_child, notice
from manometer.processes.worker import Worker, all_workers


def _write() -> bool:
    """Have all workers of this process write; False where one could not."""
    written = [worker.flush() for worker in all_workers()]
    return all(written)


def _tell_parents() -> None:
    for worker in all_workers():
        worker.has_forked()


def _rejoin_workers(forked: Forked) -> None:
    for worker in all_workers():
        worker.rejoin(forked)


def _end_workers() -> None:
    notice()
    for worker in all_workers():
        worker.end()


def _end_interpreter() -> None:
    _end_workers()
    if INTERPRETER:
        for worker in all_workers():
            worker.leave()


def _end_with_multiprocessing(_: object = None) -> None:
    # A child of multiprocessing runs these, and no atexit functions where it was forked.
    util.Finalize(None, _end_workers, exitpriority=-100)


os.register_at_fork(after_in_parent=_tell_parents)
called_in_child(_rejoin_workers)
util.register_after_fork(Worker, _end_with_multiprocessing)  # which knows of none before
_end_with_multiprocessing()  # this process may be such a child already
atexit.register(_end_interpreter)
flushed_by(_write)
