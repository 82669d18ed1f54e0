"""What the workers of a process do when it forks, when it ends, and when the program asks all of them to write."""

import atexit
import os
from multiprocessing import util

from manometer.background import INTERPRETER, in_background
from manometer.meters.fork import Forked, called_in_child, notice
from manometer.processes.worker import Worker, all_workers

__all__ = ["flush"]


def flush(timeout: float | None) -> bool:
    """Have all workers of this process write, within so many seconds; False where one could not."""
    written: list[bool] = []

    def write() -> None:
        written.extend([worker.flush() for worker in all_workers()])
        written.append(True)

    try:
        thread = in_background(write, "manometer-flush")
    except RuntimeError:  # at the end of the interpreter there are no new threads
        write()
    else:
        thread.join(timeout)
    return written[-1:] == [True] and all(written)


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
