"""Two scrapes of a made-up program, two seconds apart."""

import pytest

from manometer.cli.top.figures import board
from manometer.cli.top.interval import Interval
from manometer.cli.top.scrape import parse

SERIES = """
process_memory_usage_bytes  80e6  84e6
process_cpu_time_seconds_total{cpu_mode="user"}  8  8.42
process_cpu_time_seconds_total{cpu_mode="system"}  2  2.4
python_gc_pause_seconds_bucket{cpython_gc_generation="0",le="0.001"}  0  0
python_gc_pause_seconds_bucket{cpython_gc_generation="0",le="0.01"}  0  100
python_gc_pause_seconds_bucket{cpython_gc_generation="0",le="+Inf"}  0  100
engine_stage_duration_seconds_bucket{CLASSIFY,engine_stage_outcome="ok",le="0.0001"}  0  2000
engine_stage_duration_seconds_bucket{CLASSIFY,engine_stage_outcome="ok",le="0.01"}  0  2000
engine_stage_duration_seconds_bucket{CLASSIFY,engine_stage_outcome="ok",le="+Inf"}  0  2000
engine_stage_duration_seconds_count{CLASSIFY,engine_stage_outcome="ok"}  0  2000
engine_stage_duration_seconds_sum{CLASSIFY,engine_stage_outcome="ok"}  0  0.05
engine_stage_duration_seconds_count{PLACE,engine_stage_outcome="ok"}  7  7
engine_stage_duration_seconds_count{PLACE,engine_stage_outcome="error"}  0  5
engine_stage_active{CLASSIFY}  -  3
cache_requests_total{cache_name="prices",cache_request_type="hit"}  0  9500
cache_requests_total{cache_name="prices",cache_request_type="miss"}  100  600
cache_evictions_total{cache_name="prices",cache_eviction_cause="capacity"}  0  24
cache_load_duration_seconds_bucket{cache_name="prices",cache_load_outcome="ok",le="0.01"}  0  10
cache_load_duration_seconds_bucket{cache_name="prices",cache_load_outcome="ok",le="+Inf"}  0  10
cache_load_duration_seconds_count{cache_name="prices",cache_load_outcome="ok"}  -  10
cache_load_duration_seconds_sum{cache_name="prices",cache_load_outcome="ok"}  -  0.02
cache_prefetches_total{cache_name="prices",cache_prefetch_outcome="used"}  -  31
cache_prefetches_total{cache_name="prices",cache_prefetch_outcome="late"}  -  2
cache_entries{cache_name="prices"}  -  812
cache_entry_limit{cache_name="prices"}  -  15000
cache_entries{cache_name="weeks"}  -  4
pool_resources{pool_name="orders",pool_kind="connection",pool_resource_state="used"}  -  14
pool_resources{pool_name="orders",pool_kind="connection",pool_resource_state="idle"}  -  1
pool_resource_limit{pool_name="orders",pool_kind="connection"}  -  15
pool_pending_requests{pool_name="orders",pool_kind="connection"}  -  2
pool_acquisitions_total{pool_name="orders",pool_kind="connection",pool_acquisition_source="reused"}  0  285
pool_acquisitions_total{pool_name="orders",pool_kind="connection",pool_acquisition_source="created"}  15  30
pool_timeouts_total{pool_name="orders",pool_kind="connection"}  7  9
pool_use_duration_seconds_sum{pool_name="orders",pool_kind="connection"}  3  18
pool_wait_duration_seconds_bucket{pool_name="orders",pool_kind="connection",le="1.0"}  0  0
pool_wait_duration_seconds_bucket{pool_name="orders",pool_kind="connection",le="5.0"}  0  100
pool_wait_duration_seconds_bucket{pool_name="orders",pool_kind="connection",le="+Inf"}  0  100
breaker_state{breaker_name="broker",breaker_state="closed"}  -  0
breaker_state{breaker_name="broker",breaker_state="open"}  -  1
breaker_state{breaker_name="broker",breaker_state="half_open"}  -  0
breaker_state{breaker_name="feed",breaker_state="closed"}  -  1
breaker_state{breaker_name="feed",breaker_state="open"}  -  0
"""
for _short, _stage in (("CLASSIFY", "classify_week"), ("PLACE", "place_order")):
    SERIES = SERIES.replace(f"{{{_short}", f'{{engine_name="protocol",engine_stage_name="{_stage}"')
"""Each series with its value at the first scrape, - where it is not there yet, and at the second."""


@pytest.fixture
def scrapes():
    """The text of both."""
    series = [line.rsplit(maxsplit=2) for line in SERIES.splitlines() if line]
    before = "".join(f"{name} {value}\n" for name, value, _ in series if value != "-")
    return before, "".join(f"{name} {value}\n" for name, _, value in series)


@pytest.fixture
def shown(scrapes):
    """The board of those two scrapes, two seconds apart."""
    before, after = scrapes
    return board(Interval(parse(before, at=0.0), parse(after, at=2.0)))
