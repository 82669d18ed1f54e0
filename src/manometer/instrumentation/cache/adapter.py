"""What an adapter of a cache declares: what it reads off the cache, and what it counts as it happens."""

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Generic, Literal, TypeVar

from manometer.catalogue import cache as rows
from manometer.errors import UnsupportedError
from manometer.instrumentation.adapters import listed
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import Methods, graft, ungraft
from manometer.meters.fork import Forked, renewed_in_child
from manometer.registry.catalogued import Pulled

__all__ = ["LOOKUPS_A_TIME", "CacheAdapter", "CacheEvents", "CacheReader", "CacheState", "itself"]

C = TypeVar("C")

LOOKUPS_A_TIME = 1024
"""Of so many lookups, one is timed."""


def itself(target: Any) -> Any:
    """The cache of what the program uses, where that is the cache."""
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheState:
    """What a cache tells of itself at one moment. What it cannot tell stays None, and has no series.

    entries, limit: how many entries it holds, and may hold before it evicts, or their weights; hits, misses: lookups
    so far, which only grow but where the cache is cleared. Where the cache does not count them, `CacheEvents` does.
    """

    entries: float | None = None
    limit: float | None = None
    hits: int | None = None
    misses: int | None = None


class CacheEvents:
    """What an adapter counts as it happens. What it does not ask for has no series."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.clock = binding.clock
        """What loads are timed by: the difference between two calls is seconds."""

    def lookups(self) -> tuple[Callable[[], object], Callable[[], object]]:
        """What to call for a hit, and what for a miss. Each is one C call, which any thread may make at any time."""
        hit = self._binding.counter(rows.REQUESTS, {"cache.request.type": "hit"})
        return hit.tick, self._binding.counter(rows.REQUESTS, {"cache.request.type": "miss"}).tick

    def hit_times(self) -> tuple[Callable[[], bool], Callable[[float], None]]:
        """What tells whether to time a lookup, one in 1,024, and what to call with the seconds where it is a hit.

        To time each would cost more than many a hit does.
        """
        # The first lookup of a cache misses; a program that ends soon is to have a figure all the same.
        due = cycle((False, True, *(False,) * (LOOKUPS_A_TIME - 2)))
        return due.__next__, self._binding.histogram(rows.HIT_DURATION).observe

    def evictions(
        self, cause: Literal["capacity", "expired", "cleared"]
    ) -> tuple[Callable[[], object], Callable[[float], None]]:
        """What to call for an entry that has left for that cause, and what with a number of them."""
        left = self._binding.counter(rows.EVICTIONS, {"cache.eviction.cause": cause})
        return left.tick, left.inc

    def loads(self) -> tuple[Callable[[float], None], Callable[[float], None]]:
        """What to call with the seconds that it took to load a missing value, and with those until that failed."""
        ok = self._binding.histogram(rows.LOAD_DURATION, {"cache.load.outcome": "ok"})
        return ok.observe, self._binding.histogram(rows.LOAD_DURATION, {"cache.load.outcome": "error"}).observe


@dataclass(frozen=True, kw_only=True)
class CacheAdapter(Generic[C]):
    """The adapter of a library's caches.

        cache = CacheAdapter(takes=foo.Cache, read=read, methods=methods)

    takes: their classes. read: tells the state of one, at each collection; it must neither wait nor do I/O.
    methods: given the class of a cache and the events, returns the methods that count; each of them calls the
    class's own. Without it, nothing is put into the cache.
    """

    takes: type[C] | tuple[type[C], ...]
    read: Callable[[C], CacheState]
    methods: Callable[[Any, CacheEvents], Methods] | None = None

    def __call__(self, cache: C, bind: Bind) -> C:
        """Measure a cache; returns it, or a drop-in where its class takes no other methods."""
        if not isinstance(cache, self.takes):
            raise UnsupportedError(f"{cache!r} is no cache of its library; pass {listed(self.takes)}")
        target = cache if self.methods is None else measurable(cache)
        with bind(target, owned=cache, is_drop_in=target is not cache) as binding:
            self.counts(binding)
        return target

    def counts(self, binding: Binding, cache_of: Callable[[Any], Any] = itself) -> None:
        """Have a binding count what happens to the cache of its target, which by default is the target itself."""
        target = binding.target
        binding.pulls(CacheReader(target, lambda target: self.read(original(cache_of(target)))))
        if self.methods is None:
            return
        cache = cache_of(target)
        ungraft(cache)  # from a function that has died without its graft being taken off
        grafted = graft(cache, self.methods(type(cache), CacheEvents(binding)), bare_clones=True)
        binding.undoes(lambda target: ungraft(cache_of(target), grafted))
        if cache is not target:
            # A function that dies takes the graft off its cache. Setting a class takes no lock, so it is safe in a
            # finalizer.
            weakref.finalize(target, _ungraft, weakref.ref(cache), grafted).atexit = False


def _ungraft(cache: weakref.ref[Any], grafted: type) -> None:
    target = cache()
    if target is not None:
        ungraft(target, grafted)


class CacheReader:
    """Tells the figures of a cache from its state, less the lookups of a parent before it forked this process."""

    def __init__(self, cache: Any, read: Callable[[Any], CacheState]) -> None:
        self._read = read
        self._hits = self._misses = 0
        try:
            self._cache: Callable[[], Any] = weakref.ref(cache)
        except TypeError:  # its binding holds it, too
            self._cache = lambda: cache
        renewed_in_child(self)

    def renew(self, forked: Forked) -> None:
        """Count from here, where all lookups so far were the parent's."""
        cache = self._cache()
        if cache is not None and forked is Forked.AT_ONCE:
            state = self._read(cache)
            self._hits, self._misses = state.hits or 0, state.misses or 0

    def __call__(self, cache: Any) -> Iterable[Pulled]:
        state = self._read(cache)
        hits, misses = state.hits, state.misses
        if (hits or 0) < self._hits or (misses or 0) < self._misses:  # the cache was cleared, and its counts with it
            self._hits = self._misses = 0
        if hits is not None:
            yield rows.REQUESTS, {"cache.request.type": "hit"}, hits - self._hits
        if misses is not None:
            yield rows.REQUESTS, {"cache.request.type": "miss"}, misses - self._misses
        if state.entries is not None:
            yield rows.ENTRIES, {}, state.entries
        if state.limit is not None:
            yield rows.ENTRY_LIMIT, {}, state.limit
