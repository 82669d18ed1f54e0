"""What loading ahead spares the market data's lookups: the bundled replay, with prices that take a while to come.

The engine's own parts read through the real cache, with a clock of this program's own: a load takes 5 ms of it, as
prices from a service over the network would, twelve workers load at a time, and a day lasts 10 s. So the counts are
the same on any machine: python benchmarks/prefetch.py --record
"""

import heapq
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from alluse.atr import ATRAdjustmentSystem
from alluse.bars import Bar
from alluse.conditions import MarketConditionAnalyzer
from alluse.faults import Faults
from alluse.feed import open_feeds
from alluse.market_data import MarketData
from alluse.successors import Successors
from alluse.weeks import WeekClassifier

RECORDED = Path(__file__).parent / "prefetch.json"
POLICIES = ("nothing", "the next five days", "what was learned")

_LOAD = 0.005  # seconds
_WORKERS = 12
_DAY = 10.0  # seconds: 200 workflows at 20 a second
_LOOKS = 10  # at each day; the other workflows of it read what these have read
_FIRST_DAY = 80  # as the replay has it


class Unlearned(Successors):
    """Expects the next place, and learns nothing: plain read-ahead."""

    def turn(self, place: int) -> None:
        """Work on a place begins."""
        self._place = place

    def read(self, place: int) -> None:
        """Nobody remembers it."""


class Clock:
    """The seconds since the start, and the workers: what they do ends at its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._free = [0.0] * _WORKERS
        self._pending: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    def __call__(self) -> float:
        return self.now

    def submit(self, work: Callable[..., object], *args: Any) -> None:
        """Have the next free worker do something that takes as long as a load."""
        ends = max(heapq.heappop(self._free), self.now) + _LOAD
        heapq.heappush(self._free, ends)
        heapq.heappush(self._pending, (ends, next(self._order), lambda: work(*args)))

    def pass_to(self, when: float) -> None:
        """Let time pass."""
        while self._pending and self._pending[0][0] <= when:
            self.now, _, work = heapq.heappop(self._pending)
            work()
        self.now = when

    def shutdown(self, **_: Any) -> None:
        """The workers are no threads."""


def measured(policy: str, cycles: int = 2) -> dict[str, float]:
    """Lookups, loads that they waited for, and what became of what was loaded ahead, over the replay.

    policy: one of POLICIES.
    """
    clock, faults = Clock(), Faults()
    market = MarketData(open_feeds(()), faults, ahead=0 if policy == POLICIES[0] else 5, timer=clock)
    market.executor.shutdown()
    market.executor = clock  # type: ignore[assignment] - it does all of an executor that is used
    if policy == POLICIES[1]:
        market.successors = {symbol: Unlearned() for symbol in market.symbols}
    outcomes: Counter[str] = Counter()
    for outcome in ("used", "unused", "late", "failed"):
        setattr(market.cache, outcome, lambda outcome=outcome: outcomes.update([outcome]))
    waited = _count_waits(market, clock)
    (symbol,) = market.symbols
    _replay(market, symbol, clock, market.days(symbol)[_FIRST_DAY:] * cycles)
    market.close()
    return {"waits": len(waited), "seconds": round(len(waited) * _LOAD, 3), **dict(sorted(outcomes.items()))}


def _count_waits(market: MarketData, clock: Clock) -> Sequence[date]:
    """The days that a lookup had to load itself, from now on; time passes meanwhile."""
    load, waited = market.load, list[date]()
    look_up = market.bar
    looking = []

    def loading(symbol: str, day: date) -> Bar:
        if looking:
            waited.append(day)
            clock.pass_to(clock.now + _LOAD)
        return load(symbol, day)

    def bar(symbol: str, day: date) -> Bar:
        looking.append(day)
        try:
            return look_up(symbol, day)
        finally:
            looking.pop()

    market.load, market.bar = loading, bar  # type: ignore[method-assign]
    return waited


def _replay(market: MarketData, symbol: str, clock: Clock, days: Sequence[date]) -> None:
    """What a workflow reads, in its order."""
    classifier, adjuster = WeekClassifier(market), ATRAdjustmentSystem(market)
    analyzer = MarketConditionAnalyzer(market, timer=clock)
    for number, day in enumerate(days):
        for look in range(_LOOKS):
            clock.pass_to(max(clock.now, number * _DAY + look * _DAY / _LOOKS))
            market.bar(symbol, day)
            market.prefetch(symbol, day)
            classifier.classify(symbol, day)
            analyzer.analyze(symbol, day)
            adjuster.adjust(symbol, day)


def table() -> str:
    """The recorded run, for the documentation."""
    rows = json.loads(RECORDED.read_text(encoding="utf-8"))
    heads = ("loaded ahead", "loads that lookups waited for", "seconds of waiting", "used", "unused", "late")
    lines = [
        f"| {policy} | {row['waits']:,} | {row['seconds']:g} | "
        + " | ".join(f"{row.get(each, 0):,}" for each in ("used", "unused", "late"))
        + " |"
        for policy, row in rows.items()
    ]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *lines])


if __name__ == "__main__":
    found = {policy: measured(policy) for policy in POLICIES}
    text = json.dumps(found, indent=2) + "\n"
    if sys.argv[1:] == ["--record"]:
        RECORDED.write_text(text, encoding="utf-8")
    print(text, end="")
