"""The engine's asyncio event loop, in a thread of its own: there the approver works."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Loop"]

T = TypeVar("T")


class Loop:
    """Runs coroutines for threads. Safe for many threads."""

    def __init__(self, name: str) -> None:
        self.asyncio = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop; the future takes its result."""
        return asyncio.run_coroutine_threadsafe(work, self.asyncio)

    def stall(self, seconds: float) -> None:
        """Block the loop, as a blocking call in a coroutine would."""
        self.asyncio.call_soon_threadsafe(time.sleep, seconds)

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        self.asyncio.call_soon_threadsafe(self.asyncio.stop)
        self._thread.join()
        self.asyncio.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.asyncio)
        self.asyncio.run_forever()
        tasks = asyncio.all_tasks(self.asyncio)
        for task in tasks:
            task.cancel()
        if tasks:
            self.asyncio.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
