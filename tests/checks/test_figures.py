"""Checks of what is measured anyway: they see what `/metrics` shows."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pybreaker
import pytest
from prometheus_client import Counter, Gauge, Histogram

from holding import Held, StillClock, released
from manometer import Binding, instrument_breaker, instrument_executor, instrument_pool
from manometer.checks import breaker, figure, pool
from manometer.errors import BindingError
from manometer.health import Finding
from manometer.registry import rounds
from waiting import DEADLINE, until


class Pool:
    """An object pool whose state a test sets."""

    def __init__(self, limit=10):
        self.in_use, self.limit = 0, limit

    def acquire(self):
        self.in_use += 1
        return object()

    def release(self, thing):
        self.in_use -= 1


@pytest.mark.parametrize("by", [lambda pool: "orders", lambda pool: pool, Binding.of])
def test_a_pool_that_is_full_fails(registry, by):
    """By its name, by the object itself, and by its Binding."""
    orders = instrument_pool(Pool(), name="orders", registry=registry)
    instrument_pool(Pool(1), name="other", registry=registry).acquire()
    check = pool(by(orders), registry=registry)
    for _ in range(9):
        orders.acquire()
    assert check() == Finding(None, 90.0, "percent", "utilization")
    orders.acquire()
    assert check() == Finding("100.0% of the pool 'orders' is used, over 90%", 100.0, "percent", "utilization")


def test_workers_may_all_be_busy_as_long_as_no_task_waits(registry):
    """As the alert PoolSaturated has it."""
    busy, go_on = threading.Semaphore(0), threading.Event()

    def work():
        busy.release()
        go_on.wait(DEADLINE)

    with ThreadPoolExecutor(1) as executor:
        instrument_executor(executor, name="mail", registry=registry)
        check = pool("mail", registry=registry)
        executor.submit(work)
        assert busy.acquire(timeout=DEADLINE)
        assert check() == Finding(None, 100.0, "percent", "utilization")
        executor.submit(work)
        assert check().problem == "100.0% of the pool 'mail' is used, over 90%"
        go_on.set()


@pytest.mark.parametrize("limit", [None, 0])
def test_a_pool_of_which_nothing_is_known_fails(registry, limit):
    """A check that sees nothing must not pass: it is closed, has another name, or no limit."""
    told = Finding("the pool 'orders' is not measured, or has no limit", measurement="utilization")
    check = pool("orders", registry=registry)
    assert check() == told
    orders = instrument_pool(Pool(), name="orders", registry=registry)
    assert check().problem is None
    orders.limit = limit
    assert check() == told
    Binding.of(orders).close()
    assert check() == told


def test_a_breaker_that_is_open_fails(registry):
    """And says in which state it is."""
    broker = instrument_breaker(pybreaker.CircuitBreaker(fail_max=1), name="broker", registry=registry)
    for check in (breaker(broker, registry=registry), breaker("broker", registry=registry)):
        broker.close()
        assert check() == Finding(None, "closed", "", "state")
        broker.open()
        assert check() == Finding("the circuit breaker 'broker' is open", "open", "", "state")
    assert breaker("none", registry=registry)().problem == "the circuit breaker 'none' is not measured"


def test_any_figure_has_its_bounds(registry):
    """Of the program's own meters; on a bound all is well."""
    jobs = Gauge("jobs", "Jobs.", ["queue"], registry=registry)
    jobs.labels("mail").set(5)
    jobs.labels("pdf").set(7)
    check = figure("jobs", at_most=7, at_least=5, registry=registry)
    assert check() == Finding(None, 7, "", "jobs")
    jobs.labels("pdf").set(8)
    assert check() == Finding("jobs{queue='pdf'} is 8, over 7", 8, "", "jobs")
    assert figure("jobs", {"queue": "mail"}, at_most=7, registry=registry)() == Finding(None, 5, "", "jobs")
    jobs.labels("mail").set(1)
    assert (
        figure("jobs", {"queue": "mail"}, at_least=2, registry=registry)().problem
        == "jobs{queue='mail'} is 1, under 2"
    )
    assert figure("jobs", at_least=1, registry=registry)() == Finding(None, 1, "", "jobs")
    assert (
        figure("jobs", {"queue": "none"}, at_most=1, registry=registry)().problem == "there is no jobs{queue='none'}"
    )


def test_a_figure_is_called_as_at_metrics_or_as_in_the_catalogue(registry):
    """Samples of counters and histograms too; an object gives the labels."""
    Counter("done", "Done.", registry=registry).inc(3)
    Histogram("took_seconds", "Took.", registry=registry).observe(2)
    orders = instrument_pool(Pool(), name="orders", registry=registry)
    orders.acquire()
    assert figure("done_total", at_most=2, registry=registry)().problem == "done_total is 3, over 2"
    assert figure("took_seconds_sum", at_most=5, registry=registry)().value == 2
    assert figure("pool.resources", orders, at_most=0, registry=registry)() == Finding(
        "pool_resources{pool_name='orders', pool_kind='object', pool_resource_state='used'} is 1, over 0",
        1,
        "resource",
        "pool.resources",
    )
    assert figure("pool_resources", "orders", at_most=1, registry=registry)().problem is None
    assert figure("pool.resources", "other", at_most=1, registry=registry)().problem == (
        "there is no pool_resources{pool_name='other'}"
    )
    wanted = {"pool.name": "orders", "pool.resource.state": "used"}
    assert figure("pool.resources", wanted, at_least=1, registry=registry)().problem is None


def test_a_collector_that_hangs_holds_up_no_check_of_another(registry, monkeypatch):
    """Only what has the figure is read, and that for no longer than a scrape would."""
    clock = StillClock()
    clock.stands_for(monkeypatch, rounds)
    hangs = Held(registry, "hangs")
    Gauge("jobs", "Jobs.", registry=registry).set(5)
    try:
        assert figure("jobs", at_most=7, registry=registry)().problem is None
        told = []
        asked = threading.Thread(target=lambda: told.append(figure("hangs", at_most=7, registry=registry)()))
        asked.start()
        assert hangs.entered.acquire(timeout=DEADLINE)
        clock.now += 100
        until(lambda: told)
        assert told[0].problem == "there is no hangs"
    finally:
        released()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: figure("jobs"), "the check of 'jobs' has no bound; pass at_most=..., at_least=..., or both"),
        (lambda: figure("jobs", object(), at_most=1), "is not bound; pass what instrument_cache"),
        (
            lambda: figure("jobs", "mail", at_most=1),
            "what a series of 'jobs' is named by is not known; pass its labels",
        ),
        (
            lambda: figure("engine.stage.active", "classify", at_most=1),
            "series of 'engine.stage.active' have the names engine.name, engine.stage.name; pass {",
        ),
        (lambda: pool(Pool()), "is not bound; pass what instrument_cache"),
        (
            lambda: pool("orders", 90),
            "the check of a pool has at_most=90; pass a share over 0 and up to 1, such as 0.9",
        ),
        (lambda: pool({"queue.name": "mail"}), "dict has no pool.name; pass such an object, or its name"),
    ],
)
def test_what_cannot_be_checked_is_refused(make, message):
    """At the registration, not at the first run."""
    with pytest.raises(BindingError) as raised:
        make()
    assert message in str(raised.value)
