"""What `top` shows of two scrapes, as figures, as plain lines and as a table that fits the terminal."""

import io
import re

import pytest
from rich.console import Console

from manometer.catalogue import SUBJECTS
from manometer.cli.top.figures import NONE, board
from manometer.cli.top.interval import Interval
from manometer.cli.top.live import LiveView
from manometer.cli.top.plain import PlainView
from manometer.cli.top.snapshot import parse

BEFORE = """
process_resident_memory_bytes 80e6
process_cpu_seconds_total 10
python_gc_pause_seconds_bucket{generation="0",le="0.001"} 0
python_gc_pause_seconds_bucket{generation="0",le="0.01"} 0
python_gc_pause_seconds_bucket{generation="0",le="+Inf"} 0
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.0001"} 0
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.01"} 0
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="+Inf"} 0
engine_stage_duration_seconds_count{engine="protocol",stage="classify_week",outcome="ok"} 0
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="ok"} 7
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="error"} 0
cache_requests_total{cache="prices",result="hit"} 0
cache_requests_total{cache="prices",result="miss"} 100
cache_evictions_total{cache="prices",cause="capacity"} 0
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="0.01"} 0
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="+Inf"} 0
pool_acquisitions_total{pool="orders",kind="connection",source="reused"} 0
pool_acquisitions_total{pool="orders",kind="connection",source="created"} 15
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="1.0"} 0
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="5.0"} 0
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="+Inf"} 0
"""
AFTER = """
process_resident_memory_bytes 84e6
process_cpu_seconds_total 10.82
python_gc_pause_seconds_bucket{generation="0",le="0.001"} 0
python_gc_pause_seconds_bucket{generation="0",le="0.01"} 100
python_gc_pause_seconds_bucket{generation="0",le="+Inf"} 100
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.0001"} 2000
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="0.01"} 2000
engine_stage_duration_seconds_bucket{engine="protocol",stage="classify_week",outcome="ok",le="+Inf"} 2000
engine_stage_duration_seconds_count{engine="protocol",stage="classify_week",outcome="ok"} 2000
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="ok"} 7
engine_stage_duration_seconds_count{engine="protocol",stage="place_order",outcome="error"} 5
engine_stage_active{engine="protocol",stage="classify_week"} 3
cache_requests_total{cache="prices",result="hit"} 9500
cache_requests_total{cache="prices",result="miss"} 600
cache_evictions_total{cache="prices",cause="capacity"} 24
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="0.01"} 10
cache_load_duration_seconds_bucket{cache="prices",outcome="ok",le="+Inf"} 10
cache_entries{cache="prices"} 812
cache_entries_limit{cache="prices"} 15000
cache_entries{cache="weeks"} 4
pool_resources{pool="orders",kind="connection",state="used"} 14
pool_resources{pool="orders",kind="connection",state="idle"} 1
pool_resources_limit{pool="orders",kind="connection"} 15
pool_pending_requests{pool="orders",kind="connection"} 2
pool_acquisitions_total{pool="orders",kind="connection",source="reused"} 285
pool_acquisitions_total{pool="orders",kind="connection",source="created"} 30
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="1.0"} 0
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="5.0"} 100
pool_wait_duration_seconds_bucket{pool="orders",kind="connection",le="+Inf"} 100
breaker_state{breaker="broker",state="closed"} 0
breaker_state{breaker="broker",state="open"} 1
breaker_state{breaker="broker",state="half_open"} 0
breaker_state{breaker="feed",state="closed"} 1
breaker_state{breaker="feed",state="open"} 0
"""


@pytest.fixture
def shown():
    """The board of those two scrapes, two seconds apart."""
    return board(Interval(parse(BEFORE, at=0.0), parse(AFTER, at=2.0)))


def _cells(section):
    return [[cell.text for cell in row] for row in section.rows]


def test_the_header_is_of_the_process(shown):
    """Memory, processor, pauses, and the breakers that are not closed."""
    assert [(name, cell.text, cell.alarming) for name, cell in shown.header] == [
        ("memory", "84.0 MB", False),
        ("cpu", "41.0 %", False),
        ("gc pause p99", "9.91 ms", False),
        ("breakers not closed", "broker open", True),
    ]


def test_a_stage_has_its_rate_latency_errors_and_runs(shown):
    """One that ran and never failed has 0 errors; one that did not run has no latency."""
    assert _cells(shown.sections[0]) == [
        ["protocol/classify_week", "1,000/s", "< 100 µs", "< 100 µs", "0/s", "3"],
        ["protocol/place_order", "2.5/s", NONE, NONE, "2.5/s", NONE],
    ]
    assert shown.sections[0].rows[1][4].alarming
    assert not shown.sections[0].rows[0][4].alarming


def test_a_cache_has_its_hits_entries_and_the_cost_of_a_miss(shown):
    """One that tells only its entries has nothing else, and no limit."""
    assert _cells(shown.sections[1]) == [
        ["prices", "5,000/s", "95.0 %", "812/15,000", "12/s", "< 10 ms"],
        ["weeks", NONE, NONE, "4", NONE, NONE],
    ]


def test_a_pool_has_its_use_waiting_and_reuse(shown):
    """Nearly full stands out."""
    assert _cells(shown.sections[2]) == [
        ["orders (connection)", "14/15", "93.3 %", "2", "4.96 s", "150/s", "95.0 %"],
    ]
    assert shown.sections[2].rows[0][2].alarming


def test_an_idle_cache_has_no_hit_ratio():
    """0 lookups are no ratio of 0."""
    text = 'cache_requests_total{cache="a",result="hit"} 5\n'
    (row,) = _cells(board(Interval(parse(text, at=0.0), parse(text, at=1.0))).sections[1])
    assert row == ["a", "0/s", NONE, NONE, NONE, NONE]


def test_a_program_without_any_of_it_has_an_empty_board():
    """A dash where there is no data, and no rows."""
    empty = board(Interval(parse("", at=0.0), parse("", at=1.0)))
    assert {cell.text for _, cell in empty.header} == {NONE}
    assert [section.rows for section in empty.sections] == [[], [], []]


def test_the_names_in_these_tests_are_the_catalogue_s():
    """So that a rename shows here."""
    named = {re.split(r"[{ ]", line)[0] for line in (BEFORE + AFTER).splitlines() if line}
    known = {row.prometheus_name for rows in SUBJECTS.values() for row in rows}
    assert {re.sub(r"_(bucket|count)$", "", name) for name in named if not name.startswith("process_")} <= known


def test_plain_lines_are_one_an_object_and_aligned(shown):
    """Each with its time and its section, so that they can be searched."""
    out = io.StringIO()
    with PlainView(out) as view:
        view.show(shown)
        view.say("target gone: connection refused")
    lines = out.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
    assert [line[10:] for line in lines] == [
        "process  memory 84.0 MB  cpu 41.0 %  gc pause p99 9.91 ms  breakers not closed broker open",
        "stages   protocol/classify_week  rate 1,000/s  p50 < 100 µs  p99 < 100 µs  errors   0/s  active 3",
        "stages   protocol/place_order    rate   2.5/s  p50        —  p99        —  errors 2.5/s  active —",
        "caches   prices  requests 5,000/s  hits 95.0 %  entries 812/15,000  evictions 12/s  load p50 < 10 ms",
        "caches   weeks   requests       —  hits      —  entries          4  evictions    —  load p50       —",
        "pools    orders (connection)  used 14/15  saturation 93.3 %  waiting 2  wait p99 4.96 s  "
        "acquired 150/s  reused 95.0 %",
        "target gone: connection refused",
    ]


def _screen(shown, width):
    out = io.StringIO()
    with LiveView("http://127.0.0.1:9464/metrics", Console(file=out, width=width, height=40)) as view:
        view.show(shown)
    return out.getvalue().rstrip("\n").splitlines()


def test_a_wide_terminal_shows_every_column(shown):
    """Names to the left, figures to the right, under their heads."""
    lines = _screen(shown, 100)
    assert lines[0].startswith("http://127.0.0.1:9464/metrics  ")
    assert [line.rstrip() for line in lines[1:]] == [
        "memory 84.0 MB  cpu 41.0 %  gc pause p99 9.91 ms  breakers not closed broker open",
        "",
        "stage                      rate       p50       p99  errors  active",
        "protocol/classify_week  1,000/s  < 100 µs  < 100 µs     0/s       3",
        "protocol/place_order      2.5/s         —         —   2.5/s       —",
        "",
        "cache   requests    hits     entries  evictions  load p50",
        "prices   5,000/s  95.0 %  812/15,000       12/s   < 10 ms",
        "weeks          —       —           4          —         —",
        "",
        "pool                  used  saturation  waiting  wait p99  acquired  reused",
        "orders (connection)  14/15      93.3 %        2    4.96 s     150/s  95.0 %",
    ]


@pytest.mark.parametrize("width", range(1, 101, 3))
def test_a_narrow_terminal_wraps_no_row(shown, width):
    """Columns are left out from the right, then the name is cut; never a second line, never a cut figure."""
    lines = _screen(shown, width)
    assert all(len(line) <= width for line in lines)
    tables = lines[lines.index("", 1) :]
    assert len(tables) == 11
    if width >= 30:
        assert any("1,000/s" in line for line in tables)


def test_figures_stay_while_the_target_is_gone(shown):
    """The message stands above the last figures."""
    out = io.StringIO()
    console = Console(file=out, width=100, height=40, force_terminal=True, color_system=None)
    with LiveView("target", console) as view:
        view.show(shown)
        view.say("target gone: connection refused")
    last = out.getvalue().rpartition("target gone")[2]
    assert "protocol/classify_week" in last
