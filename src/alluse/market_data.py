"""MarketData: bars by symbol and day, cached, and loaded ahead of demand by a pool of workers."""

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

__all__ = ["BarCache", "MarketData"]

Key = tuple[str, date]


class BarCache(TTLCache[Key, Bar]):
    """The cache of bars, which knows those that were loaded ahead and that no lookup has used yet.

    used, unused, late: called as a prefetch turns out so. It has no lock, like every cachetools cache:
    its owner keeps one.
    """

    def __init__(self, maxsize: int, ttl: float, timer: Callable[[], float] = time.monotonic) -> None:
        super().__init__(maxsize, ttl, timer)
        self.ahead: set[Key] = set()
        self.used = self.unused = self.late = _nothing

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

    def left(self, key: Key) -> None:
        """A bar has left the cache."""
        if key in self.ahead:
            self.ahead.discard(key)
            self.unused()


class MarketData:
    """Reads bars through the cache. Safe for many threads.

    feeds: by symbol; workers: threads that load ahead; ahead: bars they load past the latest asked for.
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
    ) -> None:
        self.feeds = feeds
        self.cache = BarCache(entries, ttl)
        self.executor = ThreadPoolExecutor(workers, thread_name_prefix="market-data")
        self.load: Callable[[str, date], Bar] = self._load
        self._faults = faults
        self._ahead = ahead
        self._lock = Lock()
        self._loading: dict[Key, bool] = {}  # what the workers are to load; True for what a lookup needed sooner
        self._followed: dict[str, date] = {}  # the day whose followers were loaded last

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
            cache[key] = bar
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
        """Have the workers load the bars that follow a day, once a day, those that are not here already."""
        if self._followed.get(symbol) == day:
            return
        self._followed[symbol] = day
        place = self.place(symbol, day)
        keys = [(symbol, each) for each in self.feeds[symbol].days[place + 1 : place + 1 + self._ahead]]
        with self._lock:
            wanted = [key for key in keys if key not in self.cache and key not in self._loading]
            self._loading.update(dict.fromkeys(wanted, False))
        for key in wanted:
            try:
                self.executor.submit(self._load_ahead, key)
            except RuntimeError:  # the workers were told to stop, or there is no thread for one: do without
                with self._lock:
                    del self._loading[key]

    def close(self) -> None:
        """Let the workers end what they do, and close the feeds."""
        self.executor.shutdown(cancel_futures=True)
        for feed in self.feeds.values():
            feed.close()

    def _load(self, symbol: str, day: date) -> Bar:
        self.place(symbol, day)
        return self.feeds[symbol].read(day)

    def _load_ahead(self, key: Key) -> None:
        """Load a bar, unless a lookup has needed it already and so loads it itself."""
        bar = None
        try:
            if not self._loading[key]:
                bar = self.load(*key)
        finally:
            with self._lock:
                needed = self._loading.pop(key)
                if bar is not None and not needed:
                    self._keep_ahead(key, bar)

    def _keep_ahead(self, key: Key, bar: Bar) -> None:
        if key in self.cache:  # a lookup began to load it before the workers were asked to
            self.cache.late()
        else:
            self.cache[key] = bar
            self.cache.ahead.add(key)

    def _chill(self, key: Key) -> None:
        with self._lock:
            if self.cache.pop(key, None) is not None:
                self.cache.left(key)


def _nothing() -> None:
    """Nobody counts."""
