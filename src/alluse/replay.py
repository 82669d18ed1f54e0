"""The replay: the market's past as the present, and the accounts that trade in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import count
from queue import SimpleQueue

from alluse.errors import MarketError
from alluse.market_data import MarketData
from alluse.rules import Account, Lot

__all__ = ["Replay"]

_FIRST_DAY = 80  # sixteen weeks for the averages and the regime to stand on
_LIMIT = 5_000_000.0  # USD that an account may have at stake


class Replay:
    """Which day it is, and whose turn. Safe for many threads.

    workflows_a_day: of a symbol, before its next day; accounts: of a symbol; lots: open ones, by account.
    Raises MarketError for a symbol with too few days.
    """

    def __init__(self, market: MarketData, workflows_a_day: int, accounts: int, lots: Mapping[str, Lot]) -> None:
        self._market = market
        self._workflows_a_day = workflows_a_day
        self._runs = count()
        self._accounts: dict[str, SimpleQueue[Account]] = {}
        for symbol in market.symbols:
            days = len(market.days(symbol))
            if days <= _FIRST_DAY:
                raise MarketError(f"{symbol} has {days} trading days; the engine needs over {_FIRST_DAY}")
            queue = self._accounts[symbol] = SimpleQueue[Account]()
            for number in range(accounts):
                name = f"{symbol}-{number:04}"
                queue.put(Account(name, _LIMIT, lots.get(name)))

    def now(self) -> tuple[str, date]:
        """The symbol whose turn it is, and its day; after the last day the first one comes again."""
        turn, nth = divmod(next(self._runs), len(self._market.symbols))
        symbol = self._market.symbols[nth]
        days = self._market.days(symbol)
        return symbol, days[_FIRST_DAY + turn // self._workflows_a_day % (len(days) - _FIRST_DAY)]

    @contextmanager
    def account(self, symbol: str) -> Iterator[Account]:
        """The account whose turn it is, nobody else's meanwhile. Waits where all of them are out."""
        if symbol not in self._accounts:
            raise MarketError(f"there is no symbol {symbol!r}; there are {', '.join(self._accounts)}")
        account = self._accounts[symbol].get()
        try:
            yield account
        finally:
            self._accounts[symbol].put(account)
