"""shelf: its caches, pools of coroutines, queues and threads."""

from typing import Any

import shelf

from manometer.adapter import (
    CacheAdapter,
    CacheEvents,
    CacheState,
    Methods,
    PoolAdapter,
    PoolState,
    QueueAdapter,
    QueueState,
    WorkersAdapter,
    WorkersState,
)


def _counted(plain: Any, events: CacheEvents) -> Methods:
    """What a cache does not count itself: what it drops, and how long it takes to make what is missing."""
    (dropped, _), (made, failed), clock = events.evictions("capacity"), events.loads(), events.clock

    def drop(self: Any) -> None:
        plain.drop(self)
        dropped()

    def make(self: Any, key: Any, how: Any) -> Any:
        started = clock()
        try:
            value = plain.make(self, key, how)
        except BaseException:
            failed(clock() - started)
            raise
        made(clock() - started)
        return value

    return {"drop": drop, "make": make}


cache = CacheAdapter(
    takes=shelf.Cache,
    read=lambda each: CacheState(hits=each.hits, misses=each.misses, entries=len(each.content), limit=each.size),
    methods=_counted,
)

pool = PoolAdapter(
    takes=shelf.Pool,
    kind="object",
    read=lambda each: PoolState(used=each.out, idle=len(each.free), limit=each.size),
    acquire="take",
    release="give",
    create="open",
    timeouts=(shelf.Timeout,),
)

queue = QueueAdapter(takes=shelf.Queue, read=lambda each: QueueState(items=len(each)), puts=("push",), gets=("pull",))

workers = WorkersAdapter(
    takes=shelf.Crew,
    read=lambda each: WorkersState(workers=sum(thread.is_alive() for thread in each.threads), limit=each.size),
    submit="run",
    waits=lambda job: job.state == "waiting",
    rejections=(shelf.Timeout,),
)
