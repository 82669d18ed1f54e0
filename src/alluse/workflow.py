"""The workflow: from a day's bar to orders in the book, step by step."""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple, NoReturn

from alluse.atr import ATRAdjustmentSystem
from alluse.broker import ORDER_ERRORS, BrokerGateway, CircuitBreakerError
from alluse.conditions import MarketConditionAnalyzer
from alluse.errors import AllUseError, OrderPoolExhaustedError
from alluse.market_data import MarketData
from alluse.orders import Action, Order, OrderPool
from alluse.rules import Account, Facts, Lot, Step, TradingProtocolRulesEngine
from alluse.trust import Approval, HITLTrustSystem
from alluse.weeks import WeekClassifier

__all__ = ["OrdersNotPlacedError", "Outcome", "Protocol", "Workflow"]

_log = logging.getLogger("alluse")


class Outcome(StrEnum):
    """How a workflow ended."""

    PLACED = "placed"
    HELD = "held"
    DECLINED = "declined"
    REJECTED = "rejected"
    FAILED = "failed"
    SHED = "shed"


class Workflow(NamedTuple):
    """What came of one workflow. orders: that it made, whatever became of them."""

    symbol: str
    day: date
    outcome: Outcome
    orders: int


class OrdersNotPlacedError(AllUseError):
    """A workflow's orders were not placed; where that is not certain, the book is asked before the next."""

    def __init__(self, outcome: Outcome, orders: int, reason: Exception) -> None:
        super().__init__(" ".join(str(reason).split()) or type(reason).__name__)
        self.outcome, self.orders = outcome, orders


class Protocol:
    """The steps of a workflow over the parts that take them. Safe for many threads, an account a thread.

    The steps are attributes, for instrumentation to wrap.
    """

    def __init__(
        self,
        market: MarketData,
        classifier: WeekClassifier,
        analyzer: MarketConditionAnalyzer,
        adjuster: ATRAdjustmentSystem,
        rules: TradingProtocolRulesEngine,
        trust: HITLTrustSystem,
        gateway: BrokerGateway,
        orders: OrderPool,
    ) -> None:
        self._market, self._trust, self._gateway, self._orders = market, trust, gateway, orders
        self.classify_week = classifier.classify
        self.analyze_market = analyzer.analyze
        self.adjust_atr = adjuster.adjust
        self.apply_rules = rules.decide
        self.seek_approval = trust.seek
        self.place_order = gateway.place
        self.run: Callable[[str, date, Account], Workflow] = self._run

    def _run(self, symbol: str, day: date, account: Account) -> Workflow:
        """Run the steps, and log why there are no orders: in here, where the workflow's span still is.

        Raises OrdersNotPlacedError, and MarketError for a symbol or a day that there are no prices of.
        """
        try:
            return self._steps(symbol, day, account)
        except OrdersNotPlacedError as error:
            _log.warning("no orders for %s on %s %s: %s", account.name, symbol, day, error)
            raise

    def _steps(self, symbol: str, day: date, account: Account) -> Workflow:
        """Market data, class of the week, condition, adjustment, rules, approval, orders."""
        bar = self._market.bar(symbol, day)
        self._market.prefetch(symbol, day)
        week = self.classify_week(symbol, day)
        condition = self.analyze_market(symbol, day)
        adjustment = self.adjust_atr(symbol, day)
        self._reconcile(account)
        held = self._held(symbol, day, account)
        steps = self.apply_rules(Facts(symbol, bar, week, condition, adjustment, account, held)).steps
        if not steps:
            return Workflow(symbol, day, Outcome.HELD, 0)
        if self.seek_approval(steps) not in (Approval.ALONE, Approval.APPROVED):
            return Workflow(symbol, day, Outcome.DECLINED, len(steps))
        self._order(symbol, day, account, steps)
        self._settle(symbol, day, account, steps)
        return Workflow(symbol, day, Outcome.PLACED, len(steps))

    def _reconcile(self, account: Account) -> None:
        """Ask the book for a lot that an order with an unclear ending may have changed."""
        if not account.sure:
            try:
                account.lot = self._gateway.lot(account.name, account.lot)
            except ORDER_ERRORS as error:
                self._fail(error, 0)
            account.sure = True

    def _held(self, symbol: str, day: date, account: Account) -> int:
        """Trading days since the account's lot was sold; below 0 where the replay has begun again since."""
        if account.lot is None:
            return 0
        places = self._market.feeds[symbol].places
        return places[day] - places.get(account.lot.day, len(places))

    def _order(self, symbol: str, day: date, account: Account, steps: Sequence[Step]) -> None:
        """Write the steps into order objects and send them."""
        orders: list[Order] = []
        try:
            for step in steps:
                order = self._orders.acquire()
                orders.append(order)
                order.fill(account=account.name, symbol=symbol, day=day, **step._asdict())
            self.place_order(orders)
        except (*ORDER_ERRORS, OrderPoolExhaustedError) as error:
            account.sure = False
            self._fail(error, len(steps))
        finally:
            for order in orders:
                self._orders.release(order)

    def _settle(self, symbol: str, day: date, account: Account, steps: Sequence[Step]) -> None:
        """The orders stand: the account has its new lot, and the old one's outcome moves the trust."""
        for step in steps:
            if step.action is Action.OPEN:
                account.lot = Lot(symbol, step.right, step.strike, -step.quantity, step.price, day)
            elif account.lot is not None:
                self._trust.learned(good=step.price <= account.lot.price)
                account.lot = None

    def _fail(self, error: Exception, orders: int) -> NoReturn:
        outcome = Outcome.REJECTED if isinstance(error, CircuitBreakerError) else Outcome.FAILED
        if outcome is Outcome.FAILED:
            self._trust.learned(good=False)
        raise OrdersNotPlacedError(outcome, orders, error) from error
