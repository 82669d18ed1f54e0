"""MarketData: bars by symbol and day, cached, and loaded ahead of demand by a pool of workers."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Lock
from typing import Any

from cachetools import TTLCache

from alluse.bars import Bar
from alluse.errors import MarketError
from alluse.faults import Faults
from alluse.feed import CsvFeed
from alluse.successors import Successors

__all__ = ["BarCache", "MarketData"]

Key = tuple[str, date]


class BarCache(TTLCache[Key, Bar]):
    """The cache of bars, which knows how long it keeps each, and which were loaded ahead and are not used yet.

    used, unused, late, failed: called as a prefetch turns out so. It has no lock, like every cachetools cache:
    its owner keeps one.
    """

    def __init__(self, maxsize: int, ttl: float, timer: Callable[[], float] = time.monotonic) -> None:
        super().__init__(maxsize, ttl, timer)
        self.ahead: set[Key] = set()
        self.used = self.unused = self.late = self.failed = _nothing
        self._due: dict[Key, float] = {}

    def popitem(self) -> tuple[Key, Bar]:
        """Make room; what goes unused is told."""
        key, bar = super().popitem()
        self.left(key)
        return key, bar

    def expire(self, time: float | None = None) -> Any:
        """Drop what is too old; what goes unused is told."""
        gone = super().expire(time)
        for key, _ in gone:
            self.left(key)
        return gone

    def keep(self, key: Key, bar: Bar) -> None:
        """Put a bar into the cache."""
        self[key] = bar
        self._due[key] = self.timer() + self.ttl

    def remaining(self, key: Key) -> float:
        """Seconds that a bar is kept for; none where it is not here."""
        return self._due.get(key, math.inf) - self.timer() if key in self else 0.0

    def left(self, key: Key) -> None:
        """A bar has left the cache, or is loaded anew."""
        self._due.pop(key, None)
        if key in self.ahead:
            self.ahead.discard(key)
            self.unused()


class MarketData:
    """Reads bars through the cache. Safe for many threads.

    feeds: by symbol; workers: threads that load ahead; ahead: days whose bars they load before those are worked on, 0
    for none; timer: the clock of the cache.
    """

    def __init__(
        self,
        feeds: dict[str, CsvFeed],
        faults: Faults,
        *,
        entries: int = 15_000,
        ttl: float = 300.0,
        workers: int = 12,
        ahead: int = 5,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.feeds = feeds
        self.cache = BarCache(entries, ttl, timer)
        self.executor = ThreadPoolExecutor(workers, thread_name_prefix="market-data")
        self.load: Callable[[str, date], Bar] = self._load
        self._faults = faults
        self._ahead = ahead
        self._lock = Lock()
        self._loading: dict[Key, bool] = {}  # what the workers are to load; True for what a lookup needed sooner
        self._followed: dict[str, date] = {}  # the day whose followers were loaded last
        self._since: dict[str, float] = {}  # and when
        self.successors = {symbol: Successors() for symbol in feeds}

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols that there are bars of."""
        return tuple(self.feeds)

    def days(self, symbol: str) -> Sequence[date]:
        """The trading days of a symbol, in order."""
        if symbol not in self.feeds:
            raise MarketError(f"there is no symbol {symbol!r}; there are {', '.join(self.feeds)}")
        return self.feeds[symbol].days

    def bar(self, symbol: str, day: date) -> Bar:
        """The bar of a day; MarketError where there is none."""
        key = (symbol, day)
        if self._faults.strikes("cold-cache"):
            self._chill(key)
        cache = self.cache
        with self._lock:
            if (successors := self.successors.get(symbol)) and (
                place := self.feeds[symbol].places.get(day)
            ) is not None:
                successors.read(place)
            try:
                bar = cache[key]
            except KeyError:
                if self._loading.get(key) is False:
                    self._loading[key] = True
                    cache.late()
            else:
                if key in cache.ahead:
                    cache.ahead.discard(key)
                    cache.used()
                return bar
        bar = self.load(symbol, day)
        with self._lock:
            cache.keep(key, bar)
        return bar

    def window(self, symbol: str, day: date, count: int) -> Sequence[Bar]:
        """The last `count` bars up to a day, fewer where the data begins later."""
        place = self.place(symbol, day)
        return [self.bar(symbol, each) for each in self.feeds[symbol].days[max(0, place + 1 - count) : place + 1]]

    def place(self, symbol: str, day: date) -> int:
        """Which trading day of the symbol it is, from 0."""
        days = self.days(symbol)
        try:
            return self.feeds[symbol].places[day]
        except KeyError:
            raise MarketError(
                f"{symbol} has no bar of {day}; it has {len(days)} trading days from {days[0]} to {days[-1]}"
            ) from None

    def prefetch(self, symbol: str, day: date) -> None:
        """Have the workers load what the days after this one will need, once a day.

        That is what is not here, and what will be too old by the time that it is needed.
        """
        if self._followed.get(symbol) == day or not self._ahead:
            return
        self._followed[symbol] = day
        place, now = self.place(symbol, day), self.cache.timer()
        pace, self._since[symbol] = now - self._since.get(symbol, now), now
        with self._lock:
            wanted = self._wanted(symbol, place, pace)
        for key, anew in wanted.items():
            try:
                self.executor.submit(self._load_ahead, key, anew)
            except RuntimeError:  # the workers were told to stop, or there is no thread for one: do without
                with self._lock:
                    del self._loading[key]

    def _wanted(self, symbol: str, place: int, pace: float) -> dict[Key, bool]:
        """The bars to load ahead, and whether each is here and gets too old. pace: seconds that a day lasts."""
        successors, days = self.successors[symbol], self.feeds[symbol].days
        successors.turn(place)
        following = successors.following(self._ahead)
        places = [*following, *successors.beside(following[0])]
        keys = [(symbol, days[each]) for each in places if 0 <= each < len(days)]
        # What the next day will need may be needed until that day ends.
        wanted = {
            key: key in self.cache
            for key in keys
            if key not in self._loading and self.cache.remaining(key) <= 2 * pace
        }
        self._loading.update(dict.fromkeys(wanted, False))
        return wanted

    def close(self) -> None:
        """Let the workers end what they do, and close the feeds."""
        self.executor.shutdown(cancel_futures=True)
        for feed in self.feeds.values():
            feed.close()

    def _load(self, symbol: str, day: date) -> Bar:
        self.place(symbol, day)
        return self.feeds[symbol].read(day)

    def _load_ahead(self, key: Key, anew: bool) -> None:
        """Load a bar, unless a lookup has needed it already and so loads it itself.

        anew: in the place of one that is here.
        """
        bar = None
        try:
            if not self._loading[key]:
                bar = self.load(*key)
        except Exception:
            self.cache.failed()
            raise
        finally:
            with self._lock:
                needed = self._loading.pop(key)
                if bar is not None and not needed:
                    self._keep_ahead(key, bar, anew)

    def _keep_ahead(self, key: Key, bar: Bar, anew: bool) -> None:
        cache = self.cache
        if key in cache:
            if not anew:  # a lookup began to load it before the workers were asked to
                cache.late()
                return
            cache.left(key)
        cache.keep(key, bar)
        cache.ahead.add(key)

    def _chill(self, key: Key) -> None:
        with self._lock:
            if self.cache.pop(key, None) is not None:
                self.cache.left(key)


def _nothing() -> None:
    """Nobody counts."""
