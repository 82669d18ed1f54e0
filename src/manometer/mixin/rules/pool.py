"""Rules of pools: how full they are and will be, how long their callers wait, and whom they turn away."""

from manometer.catalogue import pool
from manometer.mixin.analysis import fit, forecast, slope, spaced_evenly, steadiness
from manometer.mixin.histograms import amounts, events, share_over
from manometer.mixin.promql import (
    TARGET,
    WINDOW,
    both,
    by,
    either,
    increase,
    over,
    rate,
    ratio,
    recorded,
    saturation,
    select,
    staying_over,
)
from manometer.mixin.rules.rule import Alert, Group, Record, Severity, Threshold, told
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["BUSY", "FIT", "FORECAST", "REUSE", "SATURATION_5M", "crowded", "groups"]

_POOL = (*TARGET, "pool.name", "pool.kind")

SATURATION = recorded(_POOL, pool.RESOURCES, "saturation")
SATURATION_5M = recorded(_POOL, pool.RESOURCES, "saturation_avg5m")
FORECAST = recorded(_POOL, pool.RESOURCES, "saturation_forecast")
"""What the trend leads to; the present saturation where there is no trend to believe in."""
_SLOPE = recorded(_POOL, pool.RESOURCES, "saturation_slope")
FIT = recorded(_POOL, pool.RESOURCES, "saturation_r2")
BUSY = recorded(_POOL, pool.USE_DURATION, "busy_ratio_rate5m")
ACQUISITIONS = recorded(_POOL, pool.ACQUISITIONS, "rate5m")
REUSE = recorded(_POOL, pool.ACQUISITIONS, "reuse_ratio_rate5m")
REQUESTS = recorded(_POOL, pool.WAIT_DURATION, "rate5m")
SLOW_WAITS = recorded(_POOL, pool.WAIT_DURATION, "slow_ratio_rate5m")

_TOLD = f"{told('pool.kind')} pool {told('pool.name')}"
_LIMIT = by(_POOL, select(pool.RESOURCE_LIMIT), "max")

_HALF_AS_OFTEN = Duration("60s")  # for tickets about single pools
_SELDOM = Duration("120s")  # for what looks back at an hour of each pool, and for what no alert waits for
_STEADY = 0.5  # of a trend's slope that either half of its past has: a ramp has all of it in both, a step in none


def groups(config: Thresholds) -> tuple[Group, ...]:
    """The rules of pools."""
    return (
        Group("pool", (*_full(), _turns_away(config))),
        Group("pool-waiting", (*_waits(config), *_waiting(config)), interval=_HALF_AS_OFTEN),
        Group("pool-use", _use(), interval=_SELDOM),
        Group("pool-trend", (*_trend(config), _exhaustion(config)), interval=_SELDOM),
    )


def crowded(saturation: str) -> str:
    """Saturation where it is a worry: workers that are all busy are what one wants, unless tasks queue."""
    queued = by(_POOL, over("max", select(pool.PENDING_REQUESTS, {"pool.kind": "worker"}), "5m"))
    return f"{saturation}\nunless {queued} == 0"


def _full() -> tuple[Record, ...]:
    used = by(_POOL, select(pool.RESOURCES, {"pool.resource.state": "used"}))
    return (
        Record(SATURATION, saturation(used, _LIMIT)),
        Record(SATURATION_5M, over("avg", SATURATION, "5m")),
    )


def _waits(config: Thresholds) -> tuple[Record, ...]:
    limits = config.pool
    return (
        Record(REQUESTS, events(pool.WAIT_DURATION, _POOL)),
        Record(SLOW_WAITS, share_over(pool.WAIT_DURATION, limits.wait_seconds, _POOL, REQUESTS)),
    )


def _use() -> tuple[Record, ...]:
    """What panels show and no alert waits for."""
    reused = by(_POOL, rate(select(pool.ACQUISITIONS, {"pool.acquisition.source": "reused"})))
    using = amounts(pool.USE_DURATION, _POOL)
    return (
        # Seconds in use over seconds that there were. A use counts when it ends, so a long one can pass 1.
        Record(BUSY, f"clamp_max({using}\n/ ({_LIMIT} > 0), 1)"),
        Record(ACQUISITIONS, by(_POOL, rate(select(pool.ACQUISITIONS)))),
        Record(REUSE, ratio(reused, ACQUISITIONS)),
    )


def _trend(config: Thresholds) -> tuple[Record, ...]:
    limits = config.pool
    past = limits.forecast_range
    times = spaced_evenly(SATURATION_5M, past, config.interval.seconds)
    ahead = forecast(SATURATION_5M, past, limits.forecast_horizon.seconds)
    # Both halves of the past have to be known: a trend is told of after more than half of its time at the earliest.
    steady = f"{steadiness(SATURATION_5M, past.seconds, _SLOPE)} > {_STEADY}"
    return (
        Record(_SLOPE, slope(SATURATION_5M, past)),
        Record(FIT, fit(SATURATION_5M, past, _SLOPE, times)),
        Record(FORECAST, either(both(ahead, f"{FIT} > {limits.forecast_fit_ratio:g}", steady), SATURATION_5M)),
    )


def _turns_away(config: Thresholds) -> Alert:
    limits = config.pool
    gave_up = by(_POOL, increase(select(pool.TIMEOUTS)))
    refused = by(_POOL, increase(select(pool.REJECTIONS)))
    return Alert(
        name="PoolTimeouts",
        expr=f"({either(f'{gave_up} + {refused}', gave_up, refused)})\n> {limits.refusals:g}",
        severity=Severity.CRITICAL,
        fires=f"a pool let more than {limits.refusals:g} requests go empty-handed in five minutes",
        summary=f"The {_TOLD} of {told('job')} turns requests away",
        description='{{ $value | printf "%.0f" }} requests to the '
        f"{_TOLD} on {told('instance')} timed out or were rejected in five minutes.",
        threshold=Threshold(limits.refusals, "requests"),
    )


def _waiting(config: Thresholds) -> tuple[Alert, ...]:
    limits = config.pool
    # Several processes show what they have together. Where one has nothing left, its requests wait all the same.
    waiting = by(_POOL, over("avg", select(pool.PENDING_REQUESTS), WINDOW))
    fewest = by(_POOL, over("min", select(pool.PENDING_REQUESTS), WINDOW))
    return (
        Alert(
            name="PoolSaturated",
            expr=either(
                crowded(f"{SATURATION_5M} > {limits.saturation_ratio:g}"),
                both(SATURATION_5M, staying_over(limits.wait_seconds, waiting, REQUESTS), f"{fewest} >= 1"),
            ),
            severity=Severity.WARNING,
            fires=f"more than {limits.saturation_ratio:.0%} of a pool is in use; for workers, and tasks queue; or"
            f" requests wait all the time, over {limits.wait_seconds:g} s on average",
            summary=f"The {_TOLD} of {told('job')} is full",
            description=f"The {_TOLD} on {told('instance')} has been {{{{ $value | humanizePercentage }}}}"
            " in use for five minutes; requests wait or are about to.",
            threshold=Threshold(limits.saturation_ratio),
        ),
        Alert(
            name="PoolWaitHigh",
            expr=both(f"{SLOW_WAITS} > {limits.wait_ratio:g}", f"{REQUESTS} > {limits.floor:g}"),
            severity=Severity.WARNING,
            fires=f"more than {limits.wait_ratio:.0%} of a pool's requests wait over {limits.wait_seconds:g} s",
            summary=f"Requests wait for the {_TOLD} of {told('job')}",
            description="{{ $value | humanizePercentage }} of the requests to the "
            f"{_TOLD} on {told('instance')} waited longer than {limits.wait_seconds:g} s.",
            threshold=Threshold(limits.wait_seconds, "seconds"),
        ),
    )


def _exhaustion(config: Thresholds) -> Alert:
    limits = config.pool
    return Alert(
        name="PoolExhaustionForecast",
        expr=both(
            f"{FORECAST} > 1",
            f"{SATURATION_5M} > {limits.forecast_ratio:g}",
        ),
        severity=Severity.WARNING,
        fires=f"a pool over {limits.forecast_ratio:.0%} in use will be full in {limits.forecast_horizon}, by a"
        f" trend that fits (r2 over {limits.forecast_fit_ratio:g}) and is no step",
        summary=f"The {_TOLD} of {told('job')} will be full within {limits.forecast_horizon}",
        description=f"At the pace of the last {limits.forecast_range}, the {_TOLD} on {told('instance')}"
        f' will need {{{{ $value | printf "%.2f" }}}} times its limit in {limits.forecast_horizon}.',
        threshold=Threshold(1.0),
    )
