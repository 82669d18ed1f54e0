"""Two scrapes of a made-up program, two seconds apart."""

import pytest

from manometer.cli.top.figures import board
from manometer.cli.top.interval import Interval
from manometer.cli.top.scrape import parse

SERIES = """
process_resident_memory_bytes  80e6  84e6
process_cpu_seconds_total  10  10.82
python_gc_pause_seconds_bucket{generation="0",le="0.001"}  0  0
python_gc_pause_seconds_bucket{generation="0",le="0.01"}  0  100
python_gc_pause_seconds_bucket{generation="0",le="+Inf"}  0  100
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.0001"}  0  2000
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.01"}  0  2000
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="+Inf"}  0  2000
engine_stage_duration_seconds_count{engine="protocol",stage="classify_week",outcome="ok"}  0  2000
engine_stage_duration_seconds_sum{engine="protocol",stage="classify_week",outcome="ok"}  0  0.05
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="ok"}  7  7
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="error"}  0  5
engine_stage_active{engine="protocol",stage="classify_week"}  -  3
cache_requests_total{cache="prices",result="hit"}  0  9500
cache_requests_total{cache="prices",result="miss"}  100  600
cache_evictions_total{cache="prices",cause="capacity"}  0  24
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="0.01"}  0  10
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="+Inf"}  0  10
cache_load_duration_seconds_count{cache="prices",outcome="ok"}  -  10
cache_load_duration_seconds_sum{cache="prices",outcome="ok"}  -  0.02
cache_prefetches_total{cache="prices",outcome="used"}  -  31
cache_prefetches_total{cache="prices",outcome="late"}  -  2
cache_entries{cache="prices"}  -  812
cache_entries_limit{cache="prices"}  -  15000
cache_entries{cache="weeks"}  -  4
pool_resources{pool="orders",kind="connection",state="used"}  -  14
pool_resources{pool="orders",kind="connection",state="idle"}  -  1
pool_resources_limit{pool="orders",kind="connection"}  -  15
pool_pending_requests{pool="orders",kind="connection"}  -  2
pool_acquisitions_total{pool="orders",kind="connection",source="reused"}  0  285
pool_acquisitions_total{pool="orders",kind="connection",source="created"}  15  30
pool_timeouts_total{pool="orders",kind="connection"}  7  9
pool_use_duration_seconds_sum{pool="orders",kind="connection"}  3  18
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="1.0"}  0  0
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="5.0"}  0  100
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="+Inf"}  0  100
breaker_state{breaker="broker",state="closed"}  -  0
breaker_state{breaker="broker",state="open"}  -  1
breaker_state{breaker="broker",state="half_open"}  -  0
breaker_state{breaker="feed",state="closed"}  -  1
breaker_state{breaker="feed",state="open"}  -  0
"""
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
