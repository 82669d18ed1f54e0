"""Amid: which threads are within an operation that reads entries on its way to something else."""

import functools
from collections.abc import Callable
from threading import get_ident
from typing import Any

from manometer.meters.fork import Forked, renewed_in_child

__all__ = ["Amid"]


class Amid:
    """The threads that are within an operation, each with the outcomes of its reads: True for found."""

    def __init__(self) -> None:
        self.threads: dict[int, set[bool]] = {}
        renewed_in_child(self)

    def renew(self, forked: Forked) -> None:
        """Forget the threads that a forked child does not have; late, the child has others, which may be at it."""
        if forked is not Forked.LATE:
            for thread in self.threads.keys() - {get_ident()}:
                del self.threads[thread]

    def holds(self) -> bool:
        """Whether the calling thread is within the operation."""
        return get_ident() in self.threads

    def within(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, as such an operation. Nobody asks for the outcomes of its reads."""
        threads, unread = self.threads, set[bool]()

        @functools.wraps(method)
        def run(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            thread = get_ident()
            if thread in threads:
                return method(self, *args, **kwargs)
            threads[thread] = unread
            try:
                return method(self, *args, **kwargs)
            finally:
                del threads[thread]

        return run
