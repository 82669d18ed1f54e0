"""The engine: its parts wired together, and run."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from typing import Self

from alluse.atr import ATRAdjustmentSystem
from alluse.book import Book
from alluse.broker import BrokerGateway
from alluse.conditions import MarketConditionAnalyzer
from alluse.errors import MarketError
from alluse.faults import Faults
from alluse.feed import open_feeds
from alluse.load import Load
from alluse.loop import Loop
from alluse.market_data import MarketData
from alluse.orders import OrderPool
from alluse.replay import Replay
from alluse.rules import TradingProtocolRulesEngine
from alluse.sabotage import Sabotage
from alluse.settings import NO_BOOK, TEMPORARY_BOOK, Settings
from alluse.trust import HITLTrustSystem, ScriptedApprover
from alluse.weeks import WeekClassifier
from alluse.workflow import OrdersNotPlacedError, Outcome, Protocol, Workflow

__all__ = ["Engine"]


class Engine:
    """ALL-USE's protocol engine. Safe for many threads; close it when done.

    ended: told of each workflow's outcome and orders. attached: what is closed after the last workflow and before the
    parts are: whoever adds something to the parts puts its removal there.
    Raises BarsError, MarketError, BookUnavailableError or SettingsError where it cannot start.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = Settings() if settings is None else settings
        self.faults = Faults()
        self.ended: Callable[[Outcome, int], None] = _nothing
        with ExitStack() as opened:
            self._open(opened)
            self.attached = opened.enter_context(ExitStack())
            self.load = Load(self.run_workflow, self._shed, workers=self.settings.workers)
            opened.callback(self.load.close)
            self._opened = opened.pop_all()

    def run_workflow(self, symbol: str | None = None, day: date | None = None) -> Workflow:
        """Run one workflow for the next account: by default, of the replay's current symbol and day.

        What keeps its orders from being placed ends the workflow, and is logged; MarketError is
        raised for a symbol or a day that there are no prices of.
        """
        if symbol is None or day is None:
            symbol, day = self._replay.now()
        self._sabotage.strike()
        with self._replay.account(symbol) as account:
            try:
                done = self.protocol.run(symbol, day, account)
            except OrdersNotPlacedError as error:
                done = Workflow(symbol, day, error.outcome, error.orders)
            except MarketError:
                raise
            except Exception:
                self.ended(Outcome.FAILED, 0)
                raise
        self.ended(done.outcome, done.orders)
        return done

    def start(self, rate: float) -> Self:
        """Run workflows at a steady rate a second in worker threads, until `close()`."""
        self.load.start(rate)
        return self

    def on_crash(self, before: Callable[[], object]) -> None:
        """Call `before` when the fault 'crash' is about to end the process."""
        self._sabotage.before_crash = before

    def close(self) -> None:
        """End the faults, let the workers end what they have begun, and close the parts; twice is no harm."""
        self.faults.stop_all()
        self._sabotage.close()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _shed(self) -> None:
        self.ended(Outcome.SHED, 0)

    def _open(self, opened: ExitStack) -> None:
        """Make the parts; what they open is closed again in the opposite order."""
        settings, faults = self.settings, self.faults
        self.market = MarketData(
            open_feeds(settings.csv),
            faults,
            entries=settings.bars_cached,
            ttl=settings.bars_kept,
            workers=settings.bar_workers,
            ahead=settings.bars_ahead,
        )
        opened.callback(self.market.close)
        self.book = _open_book(settings)
        if self.book is not None:
            opened.callback(self.book.close)
        self.loop = Loop("alluse-loop")
        opened.callback(self.loop.close)
        self.classifier = WeekClassifier(self.market)
        self.analyzer = MarketConditionAnalyzer(self.market)
        self.adjuster = ATRAdjustmentSystem(self.market)
        self.rules = TradingProtocolRulesEngine()
        self.approver = ScriptedApprover(
            self.loop, faults, delay=settings.approval_delay, waiting=settings.approvals_waiting
        )
        self.trust = HITLTrustSystem(self.approver, patience=settings.approval_patience)
        self.gateway = BrokerGateway(
            self.book, faults, failures=settings.breaker_failures, reset_after=settings.breaker_reset
        )
        self.orders = OrderPool(settings.orders_limit, clean_every=settings.orders_cleaned_every)
        self.protocol = Protocol(
            *(self.market, self.classifier, self.analyzer, self.adjuster),
            *(self.rules, self.trust, self.gateway, self.orders),
        )
        lots = {} if self.book is None else self.book.lots()
        self._replay = Replay(self.market, settings.workflows_a_day, settings.accounts, lots)
        self._sabotage = Sabotage(faults, self.loop, self.book)
        opened.callback(self._sabotage.close)


def _open_book(settings: Settings) -> Book | None:
    if settings.book == NO_BOOK:
        return None
    url = "" if settings.book == TEMPORARY_BOOK else settings.book
    return Book(url, connections=settings.connections, patience=settings.connection_patience)


def _nothing(_outcome: Outcome, _orders: int) -> None:
    """Nobody counts."""
