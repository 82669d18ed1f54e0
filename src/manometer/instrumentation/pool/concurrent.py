"""concurrent.futures: the workers of a thread pool, and how long tasks wait for one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from manometer.errors import UnsupportedError
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.pool.workers import WorkersAdapter, WorkersState

__all__ = ["workers"]

_INTERPRETERS = "concurrent.futures.interpreter"  # its executor sends what it runs to another interpreter


def _read(executor: Any) -> WorkersState:
    threads = sum(thread.is_alive() for thread in tuple(executor._threads))
    return WorkersState(workers=threads, limit=executor._max_workers)


def _waits(future: Any) -> bool:
    # The attribute is read as `future.done()` reads it, but without the future's lock.
    return getattr(future, "_state", None) == "PENDING"


_threads = WorkersAdapter(
    takes=ThreadPoolExecutor,
    read=_read,
    waits=_waits,
    plain_submit=ThreadPoolExecutor.submit,
    rejections=(RuntimeError,),  # of an executor that is shut down
)


def workers(executor: Any, bind: Bind) -> Any:
    """Time each task's wait and run; read the threads off the executor, and what waits off its futures."""
    elsewhere = any(base.__module__ == _INTERPRETERS for base in type(executor).__mro__)
    if elsewhere or not isinstance(executor, ThreadPoolExecutor):
        raise UnsupportedError(f"{executor!r} runs its tasks elsewhere; pass a concurrent.futures.ThreadPoolExecutor")
    return _threads(executor, bind)
