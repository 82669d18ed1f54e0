"""Tests of alluse.broker."""

import threading

import pytest
from pybreaker import CircuitBreaker

from alluse.book import Book
from alluse.broker import BrokerGateway, CircuitBreakerError, Gate
from alluse.errors import BrokerError
from alluse.faults import Fault, Faults
from waiting import DEADLINE, joined


class Broken(Exception):  # noqa: N818 - it stands for any
    """The other side is unwell."""


def _gate(reset: float = 60, failures: int = 3) -> Gate:
    breaker = CircuitBreaker(fail_max=failures, reset_timeout=reset, throw_new_error_on_trip=False)
    return Gate(breaker, (Broken,))


def _fail() -> None:
    raise Broken


def _open(gate: Gate) -> None:
    for _ in range(gate.breaker.fail_max):
        with pytest.raises(Broken):
            gate.call(_fail)


def test_calls_through_a_closed_gate_run_at_once():
    """Fifteen that wait for each other would never end one by one."""
    gate, together = _gate(), threading.Barrier(15)
    threads = [threading.Thread(target=gate.call, args=(lambda: together.wait(DEADLINE),)) for _ in range(15)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert not together.broken


def test_failures_in_a_row_open_the_gate():
    """A success between them starts the count anew; once open, nothing is sent."""
    gate, sent = _gate(), []
    for _ in range(2):
        with pytest.raises(Broken):
            gate.call(_fail)
    assert gate.call(lambda: "well") == "well"
    assert gate.breaker.fail_counter == 0
    _open(gate)
    assert gate.breaker.current_state == "open"
    with pytest.raises(CircuitBreakerError):
        gate.call(lambda: sent.append(1))
    assert sent == []


def test_other_exceptions_are_none_of_the_breakers():
    """They pass through, and neither open the gate nor reset the count."""
    gate = _gate()
    with pytest.raises(Broken):
        gate.call(_fail)
    with pytest.raises(ZeroDivisionError):
        gate.call(lambda: 1 / 0)
    assert gate.breaker.fail_counter == 1


def test_trial_that_goes_well_closes_the_gate():
    """After its time the next call is a trial."""
    gate = _gate()
    _open(gate)
    gate.breaker.reset_timeout = 0
    assert gate.call(lambda: "well") == "well"
    assert gate.breaker.current_state == "closed"


def test_trial_that_fails_opens_the_gate_again():
    """With the error of the trial itself."""
    gate = _gate()
    _open(gate)
    gate.breaker.reset_timeout = 0
    with pytest.raises(Broken):
        gate.call(_fail)
    assert gate.breaker.current_state == "open"


def test_there_is_one_trial_at_a_time():
    """Who comes during it is refused at once, and counted."""
    gate, refused = _gate(), []
    gate.refused = lambda: refused.append(1)
    _open(gate)
    gate.breaker.reset_timeout = 0
    trying, end = threading.Event(), threading.Event()

    def trial() -> None:
        trying.set()
        end.wait(DEADLINE)

    thread = threading.Thread(target=gate.call, args=(trial,))
    thread.start()
    assert trying.wait(DEADLINE)
    with pytest.raises(CircuitBreakerError, match="its trial is under way"):
        gate.call(lambda: None)
    end.set()
    joined(thread)
    assert refused == [1]
    assert gate.breaker.current_state == "closed"


def test_success_that_comes_after_the_gate_opened_does_not_close_it():
    """A call that began while all was well is no trial."""
    gate = _gate()

    def slow() -> str:
        _open(gate)
        return "well"

    assert gate.call(slow) == "well"
    assert gate.breaker.current_state == "open"


def _gateway(book: Book | None, faults: Faults, **settings: float) -> tuple[BrokerGateway, list[float]]:
    slept: list[float] = []
    return BrokerGateway(book, faults, sleep=slept.append, **settings), slept  # type: ignore[arg-type]


def test_failed_order_is_tried_again(book: Book, order):
    """A failure at the first attempt is made good by the second, and the book has the order once."""
    chances = iter([0.0, 1.0])
    faults = Faults(chance=lambda: next(chances))
    faults.start(Fault("failing-broker", 0.5))
    gateway, slept = _gateway(book, faults)
    gateway.place([order()])
    assert len(slept) == 1
    assert (book.count(), book.audit()) == (1, [])


def test_order_that_keeps_failing_is_given_up(book: Book, order):
    """Three attempts, then the broker's error; nothing is written."""
    faults = Faults()
    faults.start(Fault("failing-broker"))
    gateway, slept = _gateway(book, faults)
    with pytest.raises(BrokerError, match="broke off halfway"):
        gateway.place([order()])
    assert len(slept) == 2
    assert (book.count(), book.audit()) == (0, [])


def test_open_breaker_refuses_without_a_retry(book: Book, order):
    """And lets orders through again by itself when the broker is well."""
    faults = Faults()
    faults.start(Fault("failing-broker"))
    gateway, slept = _gateway(book, faults, failures=3)
    with pytest.raises(BrokerError):
        gateway.place([order()])
    slept.clear()
    with pytest.raises(CircuitBreakerError):
        gateway.place([order()])
    assert slept == []
    faults.stop_all()
    gateway.breaker.reset_timeout = 0
    gateway.place([order()])
    assert book.count() == 1


def test_failing_broker_answers_no_question_either(book: Book):
    """An answer would count as a success between failed orders, and keep the breaker from opening."""
    faults = Faults()
    faults.start(Fault("failing-broker"))
    gateway, _ = _gateway(book, faults, failures=2)
    for _ in range(2):
        with pytest.raises(BrokerError):
            gateway.lot("an account", None)
    with pytest.raises(CircuitBreakerError):
        gateway.lot("an account", None)


def test_slow_broker_keeps_its_connection_and_not_the_books_lock(book: Book, order):
    """Others can write while it dawdles."""
    faults = Faults()
    faults.start(Fault("slow-broker"))
    seen = []

    def dawdle(_: float) -> None:
        seen.append(book.engine.pool.checkedout())
        book.write("x" * 32, [order("GOOG-0002")], lambda: None, lambda: None)

    BrokerGateway(book, faults, sleep=dawdle).place([order()])
    assert seen == [1]
    assert book.count() == 2


def test_orders_that_took_long_are_told_in_the_log(order, caplog):
    """With how long, and how many; others are not worth a line."""
    seconds = iter([0.0, 0.25, 1.0, 1.5])
    gateway = BrokerGateway(None, Faults(), clock=lambda: next(seconds))
    gateway.place([order()])
    assert caplog.records == []
    gateway.place([order(), order()])
    (line,) = caplog.records
    assert (line.getMessage(), line.seconds, line.orders) == ("the broker was slow", 0.5, 2)


def test_gateway_without_a_book_fails_all_the_same(order):
    """The faults of the broker do not hang on the database."""
    faults = Faults()
    gateway, _ = _gateway(None, faults)
    gateway.place([order()])
    faults.start(Fault("failing-broker"))
    with pytest.raises(BrokerError):
        gateway.place([order()])
