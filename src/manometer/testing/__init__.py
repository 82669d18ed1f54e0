"""What tests of instrumented programs, and of adapters, need. Nothing here imports pytest but `testing.fixtures`."""

from manometer.testing.cache import CacheContract
from manometer.testing.clock import ManualClock
from manometer.testing.figures import Changes, Figures
from manometer.testing.pool import AsyncPoolContract, PoolContract
from manometer.testing.queue import QueueContract
from manometer.testing.resilience import BreakerContract, RetryContract
from manometer.testing.workers import WorkersContract

__all__ = [
    "AsyncPoolContract",
    "BreakerContract",
    "CacheContract",
    "Changes",
    "Figures",
    "ManualClock",
    "PoolContract",
    "QueueContract",
    "RetryContract",
    "WorkersContract",
]
