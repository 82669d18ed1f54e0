"""Pools of database connections by OpenTelemetry's `db.client.connection.*` conventions: a view of `pool.*`."""

from collections.abc import Mapping
from types import MappingProxyType

from manometer.catalogue import pool
from manometer.catalogue.spec import FAST_BUCKETS, WAIT_BUCKETS, Convention, Kind, MetricSpec, Reading

__all__ = ["ATTRIBUTES", "SPECS", "VIEW_OF"]

_POOL = "db.client.connection.pool.name"
_STATE = "db.client.connection.state"

ATTRIBUTES: Mapping[str, str] = MappingProxyType({_POOL: "pool.name", _STATE: "pool.resource.state"})
"""Our attribute that each of theirs is another name of."""

COUNT = MetricSpec(
    name="db.client.connection.count",
    kind=Kind.UPDOWNCOUNTER,
    unit="{connection}",
    attributes=(_POOL, _STATE),
    values={_STATE: ("used", "idle")},
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Connections that the pool holds, by state.",
)
MAX = MetricSpec(
    name="db.client.connection.max",
    kind=Kind.UPDOWNCOUNTER,
    unit="{connection}",
    attributes=(_POOL,),
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Connections that the pool may hold at most.",
)
IDLE_MAX = MetricSpec(
    name="db.client.connection.idle.max",
    kind=Kind.UPDOWNCOUNTER,
    unit="{connection}",
    attributes=(_POOL,),
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Idle connections that the pool keeps at most.",
)
IDLE_MIN = MetricSpec(
    name="db.client.connection.idle.min",
    kind=Kind.UPDOWNCOUNTER,
    unit="{connection}",
    attributes=(_POOL,),
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Idle connections that the pool keeps at least.",
)
PENDING_REQUESTS = MetricSpec(
    name="db.client.connection.pending_requests",
    kind=Kind.UPDOWNCOUNTER,
    unit="{request}",
    attributes=(_POOL,),
    reading=Reading.PULL,
    convention=Convention.SEMCONV,
    help="Callers inside a request for a connection now.",
)
TIMEOUTS = MetricSpec(
    name="db.client.connection.timeouts",
    kind=Kind.COUNTER,
    unit="{timeout}",
    attributes=(_POOL,),
    convention=Convention.SEMCONV,
    help="Requests that gave up waiting for a connection.",
)
WAIT_TIME = MetricSpec(
    name="db.client.connection.wait_time",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=(_POOL,),
    buckets=WAIT_BUCKETS,
    convention=Convention.SEMCONV,
    help="Time from the request to the connection, its opening included.",
)
USE_TIME = MetricSpec(
    name="db.client.connection.use_time",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=(_POOL,),
    buckets=FAST_BUCKETS,
    convention=Convention.SEMCONV,
    help="Time from handing a connection out to its return.",
)
CREATE_TIME = MetricSpec(
    name="db.client.connection.create_time",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=(_POOL,),
    buckets=WAIT_BUCKETS,
    convention=Convention.SEMCONV,
    help="Time to open a new connection.",
)

SPECS = (
    *(COUNT, MAX, IDLE_MAX, IDLE_MIN, PENDING_REQUESTS, TIMEOUTS),
    *(WAIT_TIME, USE_TIME, CREATE_TIME),
)

VIEW_OF: Mapping[str, MetricSpec] = MappingProxyType(
    {
        COUNT.name: pool.RESOURCES,
        MAX.name: pool.RESOURCE_LIMIT,
        IDLE_MAX.name: pool.IDLE_LIMIT,
        IDLE_MIN.name: pool.IDLE_MINIMUM,
        PENDING_REQUESTS.name: pool.PENDING_REQUESTS,
        TIMEOUTS.name: pool.TIMEOUTS,
        WAIT_TIME.name: pool.WAIT_DURATION,
        USE_TIME.name: pool.USE_DURATION,
        CREATE_TIME.name: pool.CREATE_DURATION,
    }
)
"""The metric whose readings each of them shows."""
