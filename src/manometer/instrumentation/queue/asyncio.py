"""asyncio: the queues of an event loop's tasks."""

import asyncio

from manometer.instrumentation.queue.adapter import QueueAdapter, QueueState

__all__ = ["queue"]

# The library's own word for what a subclass may do otherwise: each is called for each item that comes or goes.
# `put` waits for a place: it refuses nothing, and one that is cancelled tells its caller alone.
queue = QueueAdapter(
    takes=asyncio.Queue,
    read=lambda queue: QueueState(items=queue.qsize(), limit=queue.maxsize if queue.maxsize > 0 else None),
    puts=("_put",),
    gets=("_get",),
    rejections=(asyncio.QueueFull,),
    offers=("put_nowait",),
)
