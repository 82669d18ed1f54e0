"""Who put each item that waits in a queue, as far as traces go."""

from typing import TYPE_CHECKING

from manometer.instrumentation.stays import AT_MOST
from manometer.tracing.items import giver_here, taken

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

__all__ = ["Givers"]


class Givers:
    """The spans in which the items were put, by the items' ids. Equal ids are of one object that waits several times.

    No lock is taken. Where two threads take one such object at the same time, one of them may miss its link.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[SpanContext | None]] = {}

    def put(self, key: int) -> None:
        """An item is put, in the trace that is under way."""
        giver, waiting = giver_here(), self._waiting
        known = waiting.get(key)
        if known is not None:
            known.append(giver)
        elif giver is not None and len(waiting) < AT_MOST:
            waiting[key] = [giver]

    def forget(self, key: int) -> None:
        """The item was not put after all."""
        self._taken(key, -1)

    def taken(self, key: int) -> None:
        """An item was taken, for what begins here now."""
        taken(self._taken(key, 0))

    def _taken(self, key: int, which: int) -> "SpanContext | None":
        if not self._waiting:
            return None
        known = self._waiting.get(key)
        if not known:
            return None
        giver = known.pop(which)
        if not known:
            self._waiting.pop(key, None)
        return giver
