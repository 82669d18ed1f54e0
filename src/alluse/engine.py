"""The engine: its parts wired together, and the workflow that goes through them."""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from itertools import count
from queue import SimpleQueue
from typing import NamedTuple, NoReturn, Self

from prometheus_client import REGISTRY, CollectorRegistry

from alluse.atr import ATRAdjustmentSystem
from alluse.book import Book
from alluse.broker import ORDER_ERRORS, BrokerGateway, CircuitBreakerError
from alluse.conditions import MarketConditionAnalyzer
from alluse.errors import AllUseError, MarketError, OrderPoolExhaustedError
from alluse.faults import Faults
from alluse.feed import open_feeds
from alluse.instrumentation import instrument, instrument_load
from alluse.load import Load
from alluse.loop import Loop
from alluse.market_data import MarketData
from alluse.metrics import Outcome
from alluse.orders import Action, Order, OrderPool
from alluse.rules import Account, Facts, Lot, Step, TradingProtocolRulesEngine
from alluse.sabotage import Sabotage
from alluse.settings import NO_BOOK, TEMPORARY_BOOK, Settings
from alluse.trust import Approval, HITLTrustSystem, ScriptedApprover
from alluse.weeks import WeekClassifier

__all__ = ["Engine", "Workflow"]

_FIRST_DAY = 80  # of the replay: sixteen weeks for the averages and the regime to stand on
_LIMIT = 5_000_000.0  # USD that an account may have at stake

_log = logging.getLogger("alluse")


class Workflow(NamedTuple):
    """What came of one workflow."""

    symbol: str
    day: date
    outcome: Outcome
    orders: int


class Engine:
    """ALL-USE's protocol engine. Safe for many threads; close it when done.

    registry: where its figures go; instrumented: whether it has any at all.
    Raises BarsError, BookUnavailableError or SettingsError where it cannot start.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: CollectorRegistry = REGISTRY,
        instrumented: bool = True,
    ) -> None:
        self.settings = settings = Settings() if settings is None else settings
        self.faults = Faults()
        feeds = open_feeds(settings.csv)
        for symbol, feed in feeds.items():
            if len(feed.days) <= _FIRST_DAY:
                raise MarketError(f"{symbol} has {len(feed.days)} trading days; the engine needs over {_FIRST_DAY}")
        self.book = _open_book(settings)
        self.loop = Loop("alluse-loop")
        self.market = MarketData(
            feeds,
            self.faults,
            entries=settings.bars_cached,
            ttl=settings.bars_kept,
            workers=settings.bar_workers,
            ahead=settings.bars_ahead,
        )
        self.classifier = WeekClassifier(self.market)
        self.analyzer = MarketConditionAnalyzer(self.market)
        self.adjuster = ATRAdjustmentSystem(self.market)
        self.rules = TradingProtocolRulesEngine()
        self.trust = HITLTrustSystem(
            ScriptedApprover(settings.approval_delay, self.faults), self.loop, patience=settings.approval_patience
        )
        self.gateway = BrokerGateway(
            self.book, self.faults, failures=settings.breaker_failures, reset_after=settings.breaker_reset
        )
        self.orders = OrderPool(settings.orders_limit, clean_every=settings.orders_cleaned_every)
        # The steps of the workflow, which instrumentation wraps.
        self.classify_week = self.classifier.classify
        self.analyze_market = self.analyzer.analyze
        self.adjust_atr = self.adjuster.adjust
        self.apply_rules = self.rules.decide
        self.seek_approval = self.trust.seek
        self.place_order = self.gateway.place
        self.work: Callable[[str, date, Account], Workflow] = self._work
        self.ended: Callable[[Outcome, int], None] = _nothing
        self._accounts = self._open_accounts()
        self._runs = count()
        self._closed = False
        self.load: Load | None = None
        self._sabotage = Sabotage(self.faults, self.loop, self.book)
        self._registry = registry if instrumented else None
        self._uninstrument = instrument(self, registry) if instrumented else None

    def run_workflow(self, symbol: str | None = None, day: date | None = None) -> Workflow:
        """Run one workflow for the next account: by default, of the replay's current symbol and day.

        What keeps its orders from being placed ends the workflow, and is logged; MarketError is
        raised for a symbol or a day that there are no prices of.
        """
        if symbol is None or day is None:
            symbol, day = self._now()
        elif symbol not in self._accounts:
            raise MarketError(f"there is no symbol {symbol!r}; there are {', '.join(self._accounts)}")
        self._sabotage.strike()
        account = self._accounts[symbol].get()  # nobody else's until it is put back
        try:
            done = self.work(symbol, day, account)
        except OrdersNotPlacedError as error:
            done = Workflow(symbol, day, error.outcome, error.orders)
            _log.warning("no orders for %s on %s %s: %s", account.name, symbol, day, error)
        except MarketError:
            raise
        except Exception:
            self.ended(Outcome.FAILED, 0)
            raise
        finally:
            self._accounts[symbol].put(account)
        self.ended(done.outcome, done.orders)
        return done

    def start(self, rate: float) -> Self:
        """Run workflows at a steady rate a second in worker threads, until `close()`."""
        if self.load is not None:
            raise AllUseError("the engine runs already; close it first")
        self.load = Load(
            self.run_workflow, lambda: self.ended(Outcome.SHED, 0), rate=rate, workers=self.settings.workers
        )
        if self._registry is not None:
            instrument_load(self, self._registry)
        self.load.start()
        return self

    def on_crash(self, before: Callable[[], object]) -> None:
        """Call `before` when the fault 'crash' is about to end the process."""
        self._sabotage.before_crash = before

    def close(self) -> None:
        """End the faults, let the workers end what they have begun, and close the parts; twice is no harm."""
        if self._closed:
            return
        self._closed = True
        self.faults.stop_all()
        self._sabotage.close()
        if self.load is not None:
            self.load.close()
        self.market.close()
        self.loop.close()
        if self._uninstrument is not None:
            self._uninstrument()
        if self.book is not None:
            self.book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- the workflow

    def _work(self, symbol: str, day: date, account: Account) -> Workflow:
        """Market data, class of the week, condition, adjustment, rules, approval, orders."""
        bar = self.market.bar(symbol, day)
        self.market.prefetch(symbol, day)
        week = self.classify_week(symbol, day)
        condition = self.analyze_market(symbol, day)
        adjustment = self.adjust_atr(symbol, day)
        self._reconcile(account)
        held = self._held(symbol, day, account)
        steps = self.apply_rules(Facts(symbol, bar, week, condition, adjustment, account, held))
        if not steps:
            return Workflow(symbol, day, Outcome.HELD, 0)
        if self.seek_approval(steps) not in (Approval.ALONE, Approval.APPROVED):
            return Workflow(symbol, day, Outcome.DECLINED, len(steps))
        self._order(symbol, day, account, steps)
        self._settle(symbol, day, account, steps)
        return Workflow(symbol, day, Outcome.PLACED, len(steps))

    def _order(self, symbol: str, day: date, account: Account, steps: Sequence[Step]) -> None:
        """Write the steps into order objects and send them."""
        orders: list[Order] = []
        try:
            for step in steps:
                order = self.orders.acquire()
                orders.append(order)
                order.fill(account=account.name, symbol=symbol, day=day, **step._asdict())
            self.place_order(orders)
        except (*ORDER_ERRORS, OrderPoolExhaustedError) as error:
            account.sure = False
            self._fail(error, len(steps))
        finally:
            for order in orders:
                self.orders.release(order)

    def _reconcile(self, account: Account) -> None:
        """Ask the book for a lot that an order with an unclear ending may have changed."""
        if not account.sure:
            try:
                account.lot = self.gateway.lot(account.name, account.lot)
            except ORDER_ERRORS as error:
                self._fail(error, 0)
            account.sure = True

    def _fail(self, error: Exception, orders: int) -> NoReturn:
        outcome = Outcome.REJECTED if isinstance(error, CircuitBreakerError) else Outcome.FAILED
        if outcome is Outcome.FAILED:
            self.trust.learned(good=False)
        raise OrdersNotPlacedError(outcome, orders, error) from error

    def _settle(self, symbol: str, day: date, account: Account, steps: Sequence[Step]) -> None:
        """The orders stand: the account has its new lot, and the old one's outcome moves the trust."""
        for step in steps:
            if step.action is Action.OPEN:
                account.lot = Lot(symbol, step.right, step.strike, -step.quantity, step.price, day)
            else:
                if account.lot is not None:
                    self.trust.learned(good=step.price <= account.lot.price)
                account.lot = None

    def _held(self, symbol: str, day: date, account: Account) -> int:
        """Trading days since the account's lot was sold; below 0 where the replay has begun again since."""
        if account.lot is None:
            return 0
        places = self.market.feeds[symbol].places
        return places[day] - places.get(account.lot.day, len(places))

    # --- the replay

    def _now(self) -> tuple[str, date]:
        """The symbol whose turn it is, and its day: the replay moves on a day every so many workflows."""
        turn, nth = divmod(next(self._runs), len(self.market.symbols))
        symbol = self.market.symbols[nth]
        days = self.market.days(symbol)
        return symbol, days[_FIRST_DAY + turn // self.settings.workflows_a_day % (len(days) - _FIRST_DAY)]

    def _open_accounts(self) -> dict[str, SimpleQueue[Account]]:
        """The accounts of each symbol, with the lots that the book has of them."""
        lots = {} if self.book is None else self.book.lots()
        queues: dict[str, SimpleQueue[Account]] = {}
        for symbol in self.market.symbols:
            queues[symbol] = SimpleQueue()
            for number in range(self.settings.accounts):
                name = f"{symbol}-{number:04}"
                queues[symbol].put(Account(name, _LIMIT, lots.get(name)))
        return queues


class OrdersNotPlacedError(AllUseError):
    """A workflow's orders were not placed; the book has none of them, or will say so."""

    def __init__(self, outcome: Outcome, orders: int, reason: Exception) -> None:
        super().__init__(" ".join(str(reason).split()) or type(reason).__name__)
        self.outcome, self.orders = outcome, orders


def _open_book(settings: Settings) -> Book | None:
    if settings.book == NO_BOOK:
        return None
    url = "" if settings.book == TEMPORARY_BOOK else settings.book
    return Book(url, connections=settings.connections, patience=settings.connection_patience)


def _nothing(_outcome: Outcome, _orders: int) -> None:
    """Nobody counts."""
