"""Tests of alluse.orders."""

import pytest

from alluse.errors import OrderPoolExhaustedError
from alluse.orders import Order, OrderPool


def test_object_is_used_again_and_wiped():
    """What comes out is what went in, with nothing of the order before."""
    pool = OrderPool()
    order = pool.acquire()
    order.account = "GOOG-0001"
    pool.release(order)
    again = pool.acquire()
    assert again is order
    assert again.account == ""
    assert (pool.created, pool.in_use, pool.idle) == (1, 1, 0)


def test_pool_has_its_limit():
    """The object past the limit is refused, and there is one again when one is put back."""
    pool = OrderPool(limit=2)
    orders = [pool.acquire(), pool.acquire()]
    with pytest.raises(OrderPoolExhaustedError, match="all 2 orders are in use"):
        pool.acquire()
    pool.release(orders.pop())
    assert pool.acquire() is not None
    assert pool.in_use == 2


def _together(pool: OrderPool, count: int) -> list[Order]:
    orders = [pool.acquire() for _ in range(count)]
    for order in orders:
        pool.release(order)
    return orders


def test_cleaning_drops_what_nobody_needed(clock):
    """After a rush of 10 the pool keeps 10; after five minutes with never more than 3 in use it keeps 3."""
    pool = OrderPool(clean_every=300, clock=clock)
    _together(pool, 10)
    clock.now += 300
    _together(pool, 3)
    assert pool.idle == 10
    clock.now += 300
    _together(pool, 3)
    assert pool.idle == 3
    assert (pool.created, pool.in_use) == (10, 0)
