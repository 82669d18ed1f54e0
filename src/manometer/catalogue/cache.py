"""What is measured of a cache."""

from manometer.catalogue.spec import FAST_BUCKETS, Convention, Kind, MetricSpec, Reading

__all__ = ["ENTRIES", "ENTRY_LIMIT", "EVICTIONS", "HIT_DURATION", "LOAD_DURATION", "PREFETCHES", "REQUESTS", "SPECS"]

REQUESTS = MetricSpec(
    name="cache.requests",
    kind=Kind.COUNTER,
    unit="{request}",
    attributes=("cache.name", "cache.request.type"),
    values={"cache.request.type": ("hit", "miss")},
    reading=Reading.EITHER,
    convention=Convention.CACHES,
    help="Lookups in the cache by their result; writes, removals and membership tests are none.",
)
EVICTIONS = MetricSpec(
    name="cache.evictions",
    kind=Kind.COUNTER,
    unit="{eviction}",
    attributes=("cache.name", "cache.eviction.cause"),
    values={"cache.eviction.cause": ("capacity", "expired", "cleared")},
    convention=Convention.CACHES,
    help="Entries that left the cache other than by a caller's removal of one key.",
)
LOAD_DURATION = MetricSpec(
    name="cache.load.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("cache.name", "cache.load.outcome"),
    values={"cache.load.outcome": ("ok", "error")},
    buckets=FAST_BUCKETS,
    help="Time to compute or fetch the value of a miss: what a miss costs and a hit saves.",
)
HIT_DURATION = MetricSpec(
    name="cache.hit.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("cache.name",),
    buckets=(1e-07, 2.5e-07, 5e-07, 1e-06, 2.5e-06, 5e-06, 1e-05, 0.0001, 0.001, 0.01),
    help="Time of a lookup that found its entry, of one lookup in 1,024: what a hit costs.",
)
ENTRIES = MetricSpec(
    name="cache.entries",
    kind=Kind.UPDOWNCOUNTER,
    unit="{entry}",
    attributes=("cache.name",),
    reading=Reading.PULL,
    convention=Convention.CACHES,
    help="Entries in the cache; where the cache weighs its entries, their total weight.",
)
ENTRY_LIMIT = MetricSpec(
    name="cache.entry.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="{entry}",
    attributes=("cache.name",),
    reading=Reading.PULL,
    help="Entries, or weight, at which the cache starts to evict; absent where it never does.",
)
PREFETCHES = MetricSpec(
    name="cache.prefetches",
    kind=Kind.COUNTER,
    unit="{entry}",
    attributes=("cache.name", "cache.prefetch.outcome"),
    values={"cache.prefetch.outcome": ("used", "unused", "late", "failed")},
    help="Entries to load ahead of demand: a lookup used them, they left the cache unused, a lookup came before they "
    "were there, or the load failed.",
)

SPECS = (REQUESTS, EVICTIONS, LOAD_DURATION, HIT_DURATION, ENTRIES, ENTRY_LIMIT, PREFETCHES)
