"""What is measured of a cache."""

from manometer.catalogue.spec import FAST_BUCKETS, Kind, MetricSpec, Reading

__all__ = ["ENTRIES", "ENTRIES_LIMIT", "EVICTIONS", "LOAD_DURATION", "PREFETCHES", "REQUESTS", "SPECS"]

REQUESTS = MetricSpec(
    name="cache.requests",
    kind=Kind.COUNTER,
    unit="{request}",
    labels=("cache", "result"),
    values={"result": ("hit", "miss")},
    reading=Reading.EITHER,
    help="Lookups in the cache by their result; writes, removals and membership tests are none.",
)
EVICTIONS = MetricSpec(
    name="cache.evictions",
    kind=Kind.COUNTER,
    unit="{entry}",
    labels=("cache", "cause"),
    values={"cause": ("capacity", "expired", "cleared")},
    help="Entries that left the cache other than by a caller's removal of one key.",
)
LOAD_DURATION = MetricSpec(
    name="cache.load.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    labels=("cache", "outcome"),
    values={"outcome": ("ok", "error")},
    buckets=FAST_BUCKETS,
    help="Time to compute or fetch the value of a miss: what a miss costs and a hit saves.",
)
ENTRIES = MetricSpec(
    name="cache.entries",
    kind=Kind.GAUGE,
    unit="{entry}",
    labels=("cache",),
    reading=Reading.PULL,
    help="Entries in the cache; where the cache weighs its entries, their total weight.",
)
ENTRIES_LIMIT = MetricSpec(
    name="cache.entries.limit",
    kind=Kind.GAUGE,
    unit="{entry}",
    labels=("cache",),
    reading=Reading.PULL,
    help="Entries, or weight, at which the cache starts to evict; absent where it never does.",
)
PREFETCHES = MetricSpec(
    name="cache.prefetches",
    kind=Kind.COUNTER,
    unit="{entry}",
    labels=("cache", "outcome"),
    values={"outcome": ("used", "unused", "late")},
    help="Entries loaded ahead of demand: a lookup used them, they left the cache unused, "
    "or a lookup came before they were there.",
)

SPECS = (REQUESTS, EVICTIONS, LOAD_DURATION, ENTRIES, ENTRIES_LIMIT, PREFETCHES)
