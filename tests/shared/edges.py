"""What is just beyond and just within the thresholds of a configuration, as series for promtool, an alert each.

A user's own thresholds are tried with these: the scenarios of tests/rules are written for the defaults.
"""

STEP = 30
"""Seconds between samples."""

_TARGET = 'job="web", instance="a"'


def _series(name, labels, values):
    """One series of a scenario."""
    return {f"{name}{{{', '.join(filter(None, (_TARGET, labels)))}}}": values}


def _counter(name, labels, per_second):
    """A counter that grows steadily."""
    return _series(name, labels, f"0+{per_second * STEP:.9g}x400")


def _gauge(name, labels, value):
    """A gauge that stays."""
    return _series(name, labels, f"{value:.9g}x400")


def _cache_hit_ratio(config, beyond):
    limits = config.cache
    hits = limits.hit_ratio * (0.9 if beyond else 1 + 0.5 * (1 / limits.hit_ratio - 1))
    lookups = 10 * limits.floor + 1
    labels = 'cache_name="c", cache_request_type="{}"'.format
    return _counter("cache_requests_total", labels("hit"), hits * lookups) | _counter(
        "cache_requests_total", labels("miss"), (1 - hits) * lookups
    )


def _pool_saturated(config, beyond):
    used = _beyond(config.pool.saturation_ratio, beyond)
    labels = 'pool_name="p", pool_kind="connection"'
    return _gauge("pool_resources", f'{labels}, pool_resource_state="used"', 1000 * used) | _gauge(
        "pool_resource_limit", labels, 1000
    )


def _pool_wait(config, beyond):
    limits, labels = config.pool, 'pool_name="p", pool_kind="connection"'
    slow = limits.wait_ratio, limits.wait_seconds
    return _durations("pool_wait_duration_seconds", labels, limits.floor, slow, beyond)


def _pool_timeouts(config, beyond):
    refused = config.pool.refusals * (1.2 if beyond else 0.8) / 300
    return _counter("pool_timeouts_total", 'pool_name="p", pool_kind="connection"', refused)


def _queue_saturated(config, beyond):
    used = _beyond(config.queue.saturation_ratio, beyond)
    return _gauge("queue_items", 'queue_name="q"', 1000 * used) | _gauge("queue_item_limit", 'queue_name="q"', 1000)


def _queue_wait(config, beyond):
    waits = config.queue.wait_seconds * (1.1 if beyond else 0.9)
    taken = _counter("queue_operations_total", 'queue_name="q", queue_operation_type="get"', 100 / waits)
    return _gauge("queue_items", 'queue_name="q"', 100) | taken


def _queue_refusals(config, beyond):
    limits = config.queue
    refused = limits.refusals * (1.2 if beyond else 0.8) / limits.refusals_window.seconds
    return _counter("queue_rejections_total", 'queue_name="q"', refused)


def _budget_burn(config, beyond):
    limits = config.engine
    failed = min(14.4 * limits.budget_ratio * (1.1 if beyond else 0.8), 1)
    runs = 10 * limits.floor + 1
    labels = 'engine_name="e", engine_stage_name="s", engine_stage_outcome="{}"'.format
    return _counter("engine_stage_duration_seconds_count", labels("ok"), (1 - failed) * runs) | _counter(
        "engine_stage_duration_seconds_count", labels("error"), failed * runs
    )


def _engine_latency(config, beyond):
    limits, labels = config.engine, 'engine_name="e", engine_stage_name="s", engine_stage_outcome="ok"'
    slow = limits.slow_ratio, limits.latency_seconds
    return _durations("engine_stage_duration_seconds", labels, limits.floor, slow, beyond)


def _stage_stuck(config, beyond):
    stays = config.engine.stuck_seconds * (1.1 if beyond else 0.9)
    labels = 'engine_name="e", engine_stage_name="s"'
    done = _counter("engine_stage_duration_seconds_count", f'{labels}, engine_stage_outcome="ok"', 10 / stays)
    return _gauge("engine_stage_active", labels, 10) | done


def _retries_exhausted(config, beyond):
    limits = config.resilience
    failed = _beyond(limits.exhausted_ratio, beyond)
    ended = 10 * limits.floor + 1
    labels = 'retry_operation_name="o", retry_attempt_outcome="{}"'.format
    return _counter("retry_attempts_total", labels("exhausted"), failed * ended) | _counter(
        "retry_attempts_total", labels("succeeded"), (1 - failed) * ended
    )


def _memory(config, beyond):
    return _PROCESS | _gauge("process_memory_usage_bytes", "", config.runtime.memory_bytes * (1.1 if beyond else 0.9))


def _container_memory(config, beyond):
    """Beyond is over the hard limit; within is under the soft one too."""
    limits = config.runtime
    used = _beyond(limits.memory_hard_ratio, True) if beyond else 0.9 * limits.memory_soft_ratio
    return (
        _PROCESS
        | _gauge("container_memory_working_set_bytes", "", 1000 * used)
        | _gauge("container_memory_available_bytes", "", 1000 * (1 - used))
    )


def _processor(config, beyond):
    return _PROCESS | _counter(
        "process_cpu_time_seconds_total", "", config.runtime.cpu_cores * (1.1 if beyond else 0.9)
    )


def _beyond(ratio, beyond):
    """A ratio beyond the threshold, and not beyond 1; or one within."""
    return (ratio + min(1, 1.2 * ratio)) / 2 if beyond else 0.9 * ratio


def _durations(histogram, labels, floor, slow, beyond):
    """Of a histogram. slow: the share that is slower than a bound, and the bound."""
    share, seconds = slow
    events = 10 * floor + 1
    fast = events * (1 - _beyond(share, beyond))
    return _counter(f"{histogram}_count", labels, events) | _counter(
        f"{histogram}_bucket", f'{labels}, le="{seconds:g}"', fast
    )


_PROCESS = _gauge("manometer_collect_duration_seconds", 'manometer_collector_name="process"', 0.001)

EDGES = {
    ("cache", "CacheHitRatioLow"): _cache_hit_ratio,
    ("pool", "PoolSaturated"): _pool_saturated,
    ("pool", "PoolTimeouts"): _pool_timeouts,
    ("pool", "PoolWaitHigh"): _pool_wait,
    ("queue", "QueueSaturated"): _queue_saturated,
    ("queue", "QueueWaitHigh"): _queue_wait,
    ("queue", "QueueRefusals"): _queue_refusals,
    ("engine", "EngineErrorBudgetBurn"): _budget_burn,
    ("engine", "EngineLatencyHigh"): _engine_latency,
    ("engine", "StageStuck"): _stage_stuck,
    ("resilience", "RetriesExhausted"): _retries_exhausted,
    ("runtime", "ContainerMemoryHigh"): _container_memory,
    ("runtime", "MemoryHigh"): _memory,
    ("runtime", "CpuHigh"): _processor,
}
"""The scenario of each alert, by its subject and its name."""
