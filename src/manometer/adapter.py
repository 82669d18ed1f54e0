"""What an adapter is made with, for whoever has a library measured: see docs/adapters.md.

An adapter is called with an object of its library and a `Bind`, and returns what the program is to use: the object,
or a drop-in of it. Most are declared, by the class of their subject, such as a `CacheAdapter`.
"""

from manometer.errors import BindingError, UnsupportedError
from manometer.instrumentation.adapters import Adapter
from manometer.instrumentation.bind import Bind
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.cache.adapter import CacheAdapter, CacheEvents, CacheState
from manometer.instrumentation.cache.function import CachedFunctionAdapter
from manometer.instrumentation.cache.mapping import MappingMethods
from manometer.instrumentation.drop_in import measurable, original
from manometer.instrumentation.graft import Methods, graft, ungraft
from manometer.instrumentation.pool.adapter import PoolAdapter, PoolState
from manometer.instrumentation.pool.object_pool import ObjectPool
from manometer.instrumentation.pool.workers import WorkersAdapter, WorkersState
from manometer.instrumentation.queue.adapter import QueueAdapter, QueueState
from manometer.instrumentation.resilience.breaker import BreakerAdapter, BreakerEvents, BreakerState
from manometer.instrumentation.resilience.retry import RetryAdapter, RetryEvents

__all__ = [
    "Adapter",
    "Bind",
    "Binding",
    "BindingError",
    "BreakerAdapter",
    "BreakerEvents",
    "BreakerState",
    "CacheAdapter",
    "CacheEvents",
    "CacheState",
    "CachedFunctionAdapter",
    "MappingMethods",
    "Methods",
    "ObjectPool",
    "PoolAdapter",
    "PoolState",
    "QueueAdapter",
    "QueueState",
    "RetryAdapter",
    "RetryEvents",
    "UnsupportedError",
    "WorkersAdapter",
    "WorkersState",
    "graft",
    "measurable",
    "original",
    "ungraft",
]
