"""The steady load: workflows at a fixed rate, run by worker threads."""

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Event, Thread

from alluse.errors import AllUseError, SettingsError

__all__ = ["RATES", "Load", "check_rate"]

RATES = (0.001, 100_000.0)
"""The lowest and the highest rate of a load, in runs a second."""

_WAITING_AT_MOST = 500  # runs in the queue: more are shed, so that an outage leaves no hour of old work

_log = logging.getLogger("alluse")


def check_rate(rate: float) -> None:
    """Raise SettingsError where a rate is out of bounds."""
    least, most = RATES
    if not least <= rate <= most:
        raise SettingsError(
            f"rate is {rate}; it must be a number of workflows a second from {least:g} to {most:,.0f}"
        )


class Load:
    """Starts runs at a steady rate, whether those before have ended or not: what is slow piles up.

    run: one run, whose exceptions are logged and end nothing else; shed: told of a run that found the queue full.
    """

    def __init__(
        self,
        run: Callable[[], object],
        shed: Callable[[], None],
        *,
        workers: int,
        patience: float = 10.0,
    ) -> None:
        self.executor = ThreadPoolExecutor(workers, thread_name_prefix="workflow")
        self._run, self._shed = run, shed
        self._patience = patience
        self._room = BoundedSemaphore(workers + _WAITING_AT_MOST)
        self._stopping = False
        self._woken = Event()
        self._period = math.inf
        self._thread: Thread | None = None

    def start(self, rate: float) -> None:
        """Begin. rate: runs a second.

        Raises SettingsError for a rate out of bounds, and AllUseError where it has begun already.
        """
        check_rate(rate)
        if self._thread is not None:
            raise AllUseError("the engine runs already; close it first")
        self._period = 1 / rate
        self._thread = Thread(target=self._beat, name="alluse-load", daemon=True)
        self._thread.start()

    def change(self, rate: float) -> None:
        """Go on at another rate. SettingsError for one out of bounds."""
        check_rate(rate)
        self._period = 1 / rate
        self._woken.set()

    def close(self) -> None:
        """Start no more runs, and wait for those in the queue; after the patience, only for those under way."""
        self._stopping = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
        deadline = time.monotonic() + self._patience
        drained = Thread(target=self.executor.shutdown, name="alluse-drain", daemon=True)
        drained.start()
        drained.join(max(deadline - time.monotonic(), 0))
        if drained.is_alive():
            self.executor.shutdown(wait=True, cancel_futures=True)

    def _beat(self) -> None:
        due = time.monotonic()
        while not self._stopping:
            if self._woken.wait(max(due - time.monotonic(), 0)):  # the rate has changed, or all ends
                self._woken.clear()
                due = min(due, time.monotonic() + self._period)
            else:
                self._submit()
                due += self._period

    def _submit(self) -> None:
        if not self._room.acquire(blocking=False):
            self._shed()
            return
        self.executor.submit(self._guarded)

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception:
            _log.exception("a workflow ended in an error that the engine did not expect; the next goes on")
        finally:
            self._room.release()
