"""queue: the queues of threads, compiled ones too."""

import queue as library
from typing import Any

from manometer.instrumentation.bind import Bind
from manometer.instrumentation.queue.adapter import QueueAdapter, QueueState

__all__ = ["queue"]


def _read(queue: Any) -> QueueState:
    return QueueState(items=queue._qsize(), limit=queue.maxsize if queue.maxsize > 0 else None)


# The library's own word for what a subclass may do otherwise: each is called under the queue's lock, for each item.
# `put_nowait` calls `put`.
_queues = QueueAdapter(
    takes=library.Queue,
    read=_read,
    puts=("_put",),
    gets=("_get",),
    rejections=(library.Full,),
    offers=("put",),
)

_simple_queues = QueueAdapter(
    takes=library.SimpleQueue,
    read=lambda queue: QueueState(items=queue.qsize()),
    puts=("put", "put_nowait"),
    gets=("get", "get_nowait"),
)


def queue(target: Any, bind: Bind) -> Any:
    """Count the items that come and go. A collection waits for no lock of the queue to read its depth."""
    return (_simple_queues if isinstance(target, library.SimpleQueue) else _queues)(target, bind)
