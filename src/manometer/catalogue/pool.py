"""What is measured of a pool: of connections, of objects, or of workers."""

from manometer.catalogue.spec import FAST_BUCKETS, WAIT_BUCKETS, Kind, MetricSpec, Reading

__all__ = [
    "ACQUISITIONS",
    "CREATE_DURATION",
    "IDLE_LIMIT",
    "IDLE_MINIMUM",
    "PENDING_REQUESTS",
    "REJECTIONS",
    "RESOURCES",
    "RESOURCE_LIMIT",
    "SPECS",
    "TIMEOUTS",
    "USE_DURATION",
    "WAIT_DURATION",
]

_POOL = ("pool.name", "pool.kind")
_KINDS = ("connection", "object", "worker")

RESOURCES = MetricSpec(
    name="pool.resources",
    kind=Kind.UPDOWNCOUNTER,
    unit="{resource}",
    attributes=(*_POOL, "pool.resource.state"),
    values={"pool.kind": _KINDS, "pool.resource.state": ("used", "idle")},
    reading=Reading.PULL,
    help="Resources that the pool holds, by state; for workers, used ones are running a task.",
)
RESOURCE_LIMIT = MetricSpec(
    name="pool.resource.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="{resource}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    reading=Reading.PULL,
    help="Resources that the pool may hold at most; absent where it has no limit.",
)
IDLE_LIMIT = MetricSpec(
    name="pool.idle.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="{resource}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    reading=Reading.PULL,
    help="Idle resources that the pool keeps at most; it lets go of those that come back beyond.",
)
IDLE_MINIMUM = MetricSpec(
    name="pool.idle.minimum",
    kind=Kind.UPDOWNCOUNTER,
    unit="{resource}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    reading=Reading.PULL,
    help="Idle resources that the pool keeps at least, made before anybody asks.",
)
PENDING_REQUESTS = MetricSpec(
    name="pool.pending_requests",
    kind=Kind.UPDOWNCOUNTER,
    unit="{request}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    reading=Reading.PULL,
    help="Callers inside a request for a resource now; for workers, queued tasks.",
)
ACQUISITIONS = MetricSpec(
    name="pool.acquisitions",
    kind=Kind.COUNTER,
    unit="{acquisition}",
    attributes=(*_POOL, "pool.acquisition.source"),
    values={"pool.kind": _KINDS, "pool.acquisition.source": ("reused", "created")},
    reading=Reading.EITHER,
    help="Resources handed out, by whether they were there already or made for the request.",
)
TIMEOUTS = MetricSpec(
    name="pool.timeouts",
    kind=Kind.COUNTER,
    unit="{timeout}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    help="Requests that gave up waiting for a resource.",
)
REJECTIONS = MetricSpec(
    name="pool.rejections",
    kind=Kind.COUNTER,
    unit="{request}",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    help="Requests refused at once, without waiting: an exhausted or a closed pool.",
)
WAIT_DURATION = MetricSpec(
    name="pool.wait.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    buckets=WAIT_BUCKETS,
    help="Time from the request to the resource, creation included; for workers, time in the queue.",
)
USE_DURATION = MetricSpec(
    name="pool.use.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    buckets=FAST_BUCKETS,
    help="Time from handing a resource out to its return; for workers, a task's run time.",
)
CREATE_DURATION = MetricSpec(
    name="pool.create.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=_POOL,
    values={"pool.kind": _KINDS},
    buckets=WAIT_BUCKETS,
    help="Time to make a new resource, such as to open a connection.",
)

SPECS = (
    *(RESOURCES, RESOURCE_LIMIT, IDLE_LIMIT, IDLE_MINIMUM, PENDING_REQUESTS, ACQUISITIONS, TIMEOUTS, REJECTIONS),
    *(WAIT_DURATION, USE_DURATION, CREATE_DURATION),
)
