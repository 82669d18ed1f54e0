"""Advice about pools: a larger one, a smaller one."""

from collections.abc import Iterable

from manometer.catalogue import pool
from manometer.mixin.advice.advice import Advice
from manometer.mixin.advice.window import Keep, Window
from manometer.mixin.promql import TARGET, both, by, select
from manometer.mixin.thresholds import Thresholds

__all__ = ["advice"]

_POOL = (*TARGET, "pool.name", "pool.kind")


def advice(config: Thresholds, keep: Keep) -> Iterable[Advice]:
    """Of pools."""
    limits, window = config.advice, Window(config, _POOL, keep)
    known = window.kept(pool.USE_DURATION, "enough", window.known(pool.USE_DURATION))
    waiting = _waiting(window)
    # A queue that a fault left behind says nothing of the next hour, however long it was. So the quietest part of the
    # window judges the pool, and one step goes no further than to twice what is known to be too small.
    always = window.least(_waiting(window, window.part))
    limit = by(_POOL, select(pool.RESOURCE_LIMIT), "max")
    peak = window.kept(pool.RESOURCES, "used_max", window.peak(pool.RESOURCES, {"pool.resource.state": "used"}))
    # By Little's law, the mean number in use. Arrivals at random seldom need four standard deviations more.
    mean = window.kept(pool.USE_DURATION, "busy_rate", window.spent(pool.USE_DURATION))
    wanted = f"ceil(({mean} + 4 * sqrt({mean}) > 2 * {peak}) or clamp_min(2 * {peak}, 2))"
    yield Advice(
        *("PoolTooSmall", _POOL, known),
        expr=both(f"{always} > {limits.waiting:g}", f"{peak} >= {limit}", known),
        unit="s",
        fires=f"a pool that was full keeps over {limits.waiting:g} requests waiting, "
        f"in each sixth of the last {limits.window}",
        found="the {pool_kind} pool {pool_name} keeps its callers waiting",
        gain="of waiting a second, where the new limit lets nobody wait",
        change="hold each resource for a shorter time first; then raise its limit by those that wait, to twice what "
        "it is at most, and see in a while whether callers still wait; for workers only where their tasks wait for "
        "others, since those that compute share the processor",
        size=f"ceil({limit} + ({always} < {limit} or {limit}))",
    )
    yield Advice(
        *("PoolTooLarge", _POOL, known),
        expr=both(f"{limit} - {wanted} > {limits.room_ratio:g} * {limit}", known)
        + f"\nunless {waiting} > {limits.gain_ratio:g}",
        unit="",
        fires=f"over {limits.room_ratio:.0%} of a pool's limit is more than its use will need",
        found="the {pool_kind} pool {pool_name} is larger than its use",
        gain="resources that it need not be able to hold",
        change="lower its limit to twice the most that were seen in use, or to what its mean use needs at its peaks",
        size=wanted,
    )


def _waiting(window: Window, past: str = "") -> str:
    """How many wait on average: by Little's law, the seconds of waiting in a second."""
    waited, made = (window.spent(each, past=past) for each in (pool.WAIT_DURATION, pool.CREATE_DURATION))
    return f"({waited} - {made} or {waited})"  # who waits for a resource to be made waits for no other
