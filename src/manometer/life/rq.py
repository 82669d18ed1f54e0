"""RQ: the process of a job ends by `os._exit`, which runs no code at its end. So figures leave it after the job."""

import sys
from functools import wraps
from typing import Any

from manometer.flushing import flush_briefly
from manometer.meters.fork import Forked

__all__ = ["flush_after_jobs"]

HERE, ELSEWHERE = 10.0, 1.0
"""Seconds that the end of a job waits for its figures to be written, and for its spans and lines to be sent: the
worker takes no other job meanwhile, and a receiver may be dead for hours."""


def flush_after_jobs(_: Forked) -> None:
    """In a forked child that RQ has made for a job: flush when the job has ended, however it ended.

    RQ calls nothing of the program's there, so its method that performs a job gets a step more. That holds for the
    child alone. Where RQ is not loaded, or has no such method, nothing is done.
    """
    owner = _performer(getattr(sys.modules.get("rq.worker"), "Worker", None))
    if owner is None or hasattr(owner.perform_job, "_flushes"):  # the child of a worker that is a forked child itself
        return
    perform = owner.perform_job

    @wraps(perform)
    def perform_and_flush(worker: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return perform(worker, *args, **kwargs)
        finally:
            if getattr(worker, "is_horse", True):  # else its process goes on
                flush_briefly(HERE, ELSEWHERE)

    perform_and_flush._flushes = True  # type: ignore[attr-defined]
    owner.perform_job = perform_and_flush


def _performer(worker: Any) -> Any:
    """The class that RQ's worker has the method from."""
    bases = getattr(worker, "__mro__", ())
    return next((base for base in bases if callable(vars(base).get("perform_job"))), None)
