"""What a check is about shows at its figure, so that a rule can tell whose fault it is."""

import asyncio

import pybreaker
import pytest
from cachetools import LRUCache
from sqlalchemy import QueuePool, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from manometer import Binding, check, checks, instrument_breaker, instrument_cache, instrument_pool, render
from manometer.errors import BindingError
from manometer.health import Checks
from waiting import until

ANY_THREAD = {"check_same_thread": False}
"""The thread of a check connects, and that of the test closes the connections."""


@pytest.fixture
def engine(registry):
    """An instrumented engine of SQLAlchemy."""
    engine = create_engine("sqlite://", poolclass=QueuePool, connect_args=ANY_THREAD)
    yield instrument_pool(engine, name="orders", registry=registry)
    engine.dispose()


@pytest.fixture
def breaker(registry):
    """An instrumented circuit breaker."""
    return instrument_breaker(pybreaker.CircuitBreaker(), name="broker", registry=registry)


def shown(registry, *made):
    """The series of the checks' results, once each check has run."""
    for number, each in enumerate(made):
        check(f"check{number}", each, registry=registry)
    every = Checks.on(registry)
    every.start()
    until(lambda: all(each.result for each in every.all()))
    every.stop()
    text = render(registry)[0].decode()
    return [line for line in text.splitlines() if line.startswith("health_check_up{")]


def test_a_check_names_the_pool_and_the_breaker_that_it_is_about(registry, engine, breaker):
    """One that is about nothing has no such label."""
    assert shown(registry, checks.about(lambda: None, engine, Binding.of(breaker)), lambda: None) == [
        'health_check_up{breaker_name="broker",health_check_critical="true",health_check_name="check0",'
        'pool_name="orders"} 1.0',
        'health_check_up{health_check_critical="true",health_check_name="check1"} 1.0',
    ]


def test_the_ready_made_checks_of_a_pool_a_breaker_and_a_database_do_so_by_themselves(registry, engine, breaker):
    """A database whose engine is not instrumented has no pool that anything could be said of."""
    made = (
        checks.pool(engine, registry=registry),
        checks.breaker("broker", registry=registry),
        checks.database(engine),
        checks.database(other := create_engine("sqlite://", poolclass=QueuePool, connect_args=ANY_THREAD)),
    )
    assert [line.partition("}")[0].partition("{")[2] for line in shown(registry, *made)] == [
        'health_check_critical="true",health_check_name="check0",pool_name="orders"',
        'health_check_critical="true",health_check_name="check2",pool_name="orders"',
        'breaker_name="broker",health_check_critical="true",health_check_name="check1"',
        'health_check_critical="true",health_check_name="check3"',
    ]
    other.dispose()


async def test_a_coroutine_can_be_about_something_too(registry):
    """As the check of an asynchronous engine is."""
    engine = instrument_pool(create_async_engine("sqlite+aiosqlite://"), name="orders", registry=registry)
    check("book", checks.database(engine), registry=registry)
    found = await asyncio.to_thread(shown, registry)
    await engine.dispose()
    assert found == ['health_check_up{health_check_critical="true",health_check_name="book",pool_name="orders"} 1.0']


@pytest.mark.parametrize("how", ["a cache", "two pools", "nothing that is instrumented"])
def test_what_a_check_cannot_be_about_is_refused(registry, engine, how):
    """No alert of such a thing would come before that of the check."""
    objects = {
        "a cache": [instrument_cache(LRUCache(1), name="prices", registry=registry)],
        "two pools": [engine, engine],
        "nothing that is instrumented": [object()],
    }
    with pytest.raises(BindingError):
        checks.about(lambda: None, *objects[how])
