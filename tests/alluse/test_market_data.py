"""Tests of alluse.market_data and alluse.feed."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from threading import Event, Semaphore, current_thread

import pytest

from alluse.bars import Bar
from alluse.errors import BarsError, MarketError
from alluse.faults import Fault, Faults
from alluse.feed import open_feeds
from alluse.market_data import BarCache, MarketData
from waiting import DEADLINE, until

FIRST, THIRD = date(2004, 8, 19), date(2004, 8, 23)


@pytest.fixture
def faults() -> Faults:
    """No fault is on."""
    return Faults()


@pytest.fixture
def market(faults: Faults) -> Iterator[MarketData]:
    """The bundled prices."""
    market = MarketData(open_feeds(()), faults)
    yield market
    market.close()


def _counted(market: MarketData) -> list[date]:
    """The days that are loaded from now on."""
    loaded: list[date] = []
    load = market.load

    def counted(symbol, day):
        loaded.append(day)
        return load(symbol, day)

    market.load = counted
    return loaded


def test_bar_is_loaded_once(market: MarketData):
    """The second read comes from the cache."""
    loaded = _counted(market)
    assert market.bar("GOOG", THIRD).close == 109.40
    assert market.bar("GOOG", THIRD).close == 109.40
    assert loaded == [THIRD]


def test_window_ends_at_the_day(market: MarketData):
    """Oldest first; fewer where the data begins."""
    assert [bar.day.day for bar in market.window("GOOG", THIRD, 2)] == [20, 23]
    assert [bar.day.day for bar in market.window("GOOG", THIRD, 99)] == [19, 20, 23]


def test_unknown_symbol_and_day_are_named(market: MarketData):
    """The error says what there is."""
    with pytest.raises(MarketError, match="there is no symbol 'IBM'; there are GOOG"):
        market.bar("IBM", FIRST)
    with pytest.raises(MarketError, match="GOOG has no bar of 2004-08-21; it has 1047 trading days from 2004-08-19"):
        market.bar("GOOG", date(2004, 8, 21))
    assert len(market.cache) == 0


def test_followers_are_loaded_ahead_and_counted_as_they_are_used(market: MarketData):
    """The five bars after a day come by the workers, once; a read of one of them is a use."""
    used = []
    market.cache.used = lambda: used.append(1)
    loaded = _counted(market)
    market.prefetch("GOOG", FIRST)
    until(lambda: len(market.cache) == 5)
    market.prefetch("GOOG", FIRST)
    assert len(loaded) == 5
    market.bar("GOOG", THIRD)
    market.bar("GOOG", THIRD)
    assert len(loaded) == 5
    assert len(used) == 1


def test_refused_prefetch_is_asked_for_again(market: MarketData):
    """What the workers do not take is not taken for under way."""
    take, refuse = market.executor.submit, [True]

    def submit(*args):
        if refuse:
            raise RuntimeError("can't start new thread")
        return take(*args)

    market.executor.submit = submit
    loaded = _counted(market)
    market.prefetch("GOOG", FIRST)
    refuse.clear()
    market.prefetch("GOOG", market.days("GOOG")[1])
    market.executor.shutdown()
    assert sorted(loaded) == list(market.days("GOOG")[2:7])


def test_cold_cache_finds_nothing(market: MarketData, faults: Faults):
    """While the fault is on each read is a load; afterwards the cache serves again."""
    loaded = _counted(market)
    faults.start(Fault("cold-cache"))
    for _ in range(3):
        market.bar("GOOG", FIRST)
    faults.stop("cold-cache")
    market.bar("GOOG", FIRST)
    assert len(loaded) == 3


def test_prefetched_bars_that_leave_unused_are_counted(clock):
    """By want of room, or of time."""
    unused = []
    cache = BarCache(2, 60, clock)
    cache.unused = lambda: unused.append(1)
    for number, ahead in enumerate([True, False, True]):
        key = ("GOOG", date(2008, 1, 1 + number))
        cache[key] = None
        if ahead:
            cache.ahead.add(key)
    assert len(unused) == 1
    clock.now += 61
    cache.expire()
    assert len(unused) == 2
    assert not cache.ahead


class Held:
    """A load that begins when it is called and ends when it is told to."""

    def __init__(self, load: Callable[[str, date], Bar]) -> None:
        self._load = load
        self.begun = Semaphore(0)
        self.go_on = Event()

    def __call__(self, symbol: str, day: date) -> Bar:
        if current_thread().name.startswith("market-data"):
            self.begun.release()
            assert self.go_on.wait(DEADLINE)
        return self._load(symbol, day)


def _outcomes(cache: BarCache) -> list[str]:
    """How prefetches turn out from now on."""
    told: list[str] = []
    cache.used = lambda: told.append("used")
    cache.unused = lambda: told.append("unused")
    cache.late = lambda: told.append("late")
    cache.failed = lambda: told.append("failed")
    return told


def test_prefetch_that_a_lookup_overtakes_is_late_once(market: MarketData):
    """The lookup loads the bar itself, is not held up, and what the worker brings later is no prefetch in use."""
    market.load = held = Held(market.load)
    told = _outcomes(market.cache)
    market.prefetch("GOOG", FIRST)
    for _ in range(5):
        assert held.begun.acquire(timeout=DEADLINE)
    assert market.bar("GOOG", THIRD).close == 109.40
    market._chill(("GOOG", THIRD))
    assert market.bar("GOOG", THIRD).close == 109.40
    assert told == ["late"]
    held.go_on.set()
    market.executor.shutdown()
    for day in market.days("GOOG")[1:6]:
        market.bar("GOOG", day)
    assert sorted(told) == ["late", "used", "used", "used", "used"]


def test_prefetch_that_has_not_begun_is_left_to_the_lookup(faults: Faults):
    """The worker that comes to it loads nothing."""
    market = MarketData(open_feeds(()), faults, workers=1)
    market.load = held = Held(market.load)
    told, loaded = _outcomes(market.cache), _counted(market)
    market.prefetch("GOOG", FIRST)
    assert held.begun.acquire(timeout=DEADLINE)
    market.bar("GOOG", THIRD)
    held.go_on.set()
    market.executor.shutdown()
    assert (told, loaded.count(THIRD)) == (["late"], 1)
    market.close()


def test_prefetch_of_what_a_lookup_loads_already_is_late(market: MarketData):
    """It was asked for after the lookup had begun: nobody was spared anything."""
    load, told = market.load, _outcomes(market.cache)

    def prefetched(symbol, day):
        if not current_thread().name.startswith("market-data"):
            market.prefetch("GOOG", FIRST)
            return load(symbol, day)
        assert kept.wait(DEADLINE)
        return load(symbol, day)

    kept = Event()
    market.load = prefetched
    market.bar("GOOG", THIRD)
    kept.set()
    market.executor.shutdown()
    assert told == ["late"]


def test_prefetch_that_fails_is_counted(market: MarketData):
    """Nothing was loaded ahead; a lookup tries again, and says what is wrong."""
    told = _outcomes(market.cache)

    def broken(symbol, day):
        raise BarsError("the file has changed")

    market.load = broken
    market.prefetch("GOOG", FIRST)
    market.executor.shutdown()
    with pytest.raises(BarsError, match="has changed"):
        market.bar("GOOG", THIRD)
    assert (told, market._loading) == (["failed"] * 5, {})


def test_many_threads_read_alike(market: MarketData):
    """A cache without a lock of its own survives many readers."""
    days = market.days("GOOG")[:300]
    found = list(market.executor.map(lambda day: market.bar("GOOG", day).day, days * 3))
    assert found == list(days) * 3
    assert len(market.cache) == 300


def test_two_files_are_two_symbols(tmp_path: Path):
    """The file's name begins with the symbol; two of one symbol are refused."""
    text = "date,open,high,low,close,volume\n2008-01-02,1,2,1,2,3\n"
    paths = [tmp_path / "ibm_daily.csv", tmp_path / "msft.csv"]
    for path in paths:
        path.write_text(text)
    feeds = open_feeds(paths)
    assert list(feeds) == ["IBM", "MSFT"]
    for feed in feeds.values():
        feed.close()
    with pytest.raises(BarsError, match=r"IBM of a file before it; name it"):
        open_feeds([paths[0], paths[0]])


def test_file_that_changed_under_us_is_refused_by_line(tmp_path: Path, faults: Faults):
    """A row that is none any more when it is read names its line."""
    path = tmp_path / "ibm.csv"
    path.write_text("date,open,high,low,close,volume\n2008-01-02,1,2,1,2,3\n")
    market = MarketData(open_feeds([path]), faults)
    path.write_text("date,open,high,low,close,volume\n2008-01-02,1,2,1,x,3\n")
    with pytest.raises(BarsError, match=r"ibm\.csv, line 2, column 18: close is 'x'"):
        market.bar("IBM", date(2008, 1, 2))
    market.close()


@pytest.fixture
def kept_for_a_minute(faults: Faults, clock) -> Iterator[MarketData]:
    """The bundled prices, kept for 60 s of a clock that stands still; the days begin every 10 s."""
    market = MarketData(open_feeds(()), faults, ttl=60, ahead=1, timer=clock)
    yield market
    market.close()


def _days_of_ten_seconds(market: MarketData, clock, first: int, last: int) -> None:
    """A window of five days is read each day, and the workers end what that day asks them for."""
    for day in market.days("GOOG")[first:last]:
        market.bar("GOOG", day)
        market.prefetch("GOOG", day)
        market.window("GOOG", day, 5)
        until(lambda: not market._loading)
        clock.now += 10


def test_what_will_be_needed_is_refreshed_before_it_is_too_old(kept_for_a_minute: MarketData, clock):
    """After the first days, no lookup loads anything: neither the next day nor what was kept for its time."""
    market = kept_for_a_minute
    told = _outcomes(market.cache)
    _days_of_ten_seconds(market, clock, 5, 8)
    loads: list[str] = []
    load = market.load

    def counted(symbol, day):
        loads.append(current_thread().name)
        return load(symbol, day)

    market.load = counted
    _days_of_ten_seconds(market, clock, 8, 40)
    assert len(loads) > 32
    assert all(name.startswith("market-data") for name in loads)
    assert set(told) == {"used"}


def test_what_is_refreshed_before_it_was_used_counts_as_unused(market: MarketData):
    """It has taken two loads."""
    told = _outcomes(market.cache)
    key, bar = ("GOOG", THIRD), market.bar("GOOG", THIRD)
    for anew in (False, True):
        market._chill(key)
        market._keep_ahead(key, bar, anew)
    market._keep_ahead(key, bar, True)
    assert told == ["unused", "unused"]


def test_a_refresh_that_fails_leaves_the_bar_that_is_there(market: MarketData):
    """It is as good as it was."""
    told = _outcomes(market.cache)
    market.bar("GOOG", THIRD)
    load = market.load

    def broken(symbol, day):
        raise BarsError("the file has changed")

    market.load = broken
    market._loading["GOOG", THIRD] = False
    with pytest.raises(BarsError):
        market._load_ahead(("GOOG", THIRD), True)
    market.load = load
    assert (told, len(market.cache)) == (["failed"], 1)
