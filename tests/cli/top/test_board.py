"""What `top` shows of two scrapes, as figures and as plain lines."""

import io
import re

import pytest

from manometer.catalogue import SUBJECTS
from manometer.cli.top.figures import NONE, Cell, Trend, board
from manometer.cli.top.interval import Interval
from manometer.cli.top.notes import Note
from manometer.cli.top.plain import PlainView
from manometer.cli.top.scrape import parse


def _board(before, after):
    return board(Interval(parse(before, at=0.0), parse(after, at=1.0)))


def _series(name, **values):
    """A line for each value of the label that the name leaves out."""
    return "".join(f"{name % label} {value}\n" for label, value in values.items())


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
        [
            *("protocol/classify_week", "1,000/s", "< 100 µs", "< 100 µs", "0/s", "3"),
            *("25 µs", "< 100 µs", "0.0 %", "2,000"),
        ],
        ["protocol/place_order", "2.5/s", NONE, NONE, "2.5/s", NONE, NONE, NONE, "100.0 %", "12"],
    ]
    assert [[at for at, cell in enumerate(row) if cell.alarming] for row in shown.sections[0].rows] == [[], [4, 8]]


def test_a_cache_has_its_hits_entries_and_the_cost_of_a_miss(shown):
    """One that tells only its entries has nothing else, and no limit."""
    assert _cells(shown.sections[1]) == [
        [
            *("prices", "5,000/s", "95.0 %", "812/15,000", "12/s", "< 10 ms", "< 10 ms"),
            *("2 ms", "9.5 s/s", "31", "2"),
        ],
        ["weeks", NONE, NONE, "4", *[NONE] * 7],
    ]


def test_a_pool_has_its_use_waiting_and_reuse(shown):
    """Nearly full stands out."""
    assert _cells(shown.sections[2]) == [
        [
            *("orders (connection)", "14/15", "93.3 %", "50.0 %", "2", "4.96 s", "150/s", "95.0 %"),
            *(NONE, NONE, "1/s", NONE),
        ],
    ]
    assert shown.sections[2].rows[0][2].alarming
    assert shown.sections[2].rows[0][10].alarming


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ({"a": "half_open", "b": "closed", "c": "open"}, ("a half_open, c open", True)),
        ({"a": "closed", "b": "closed"}, ("none", False)),
    ],
)
def test_breakers_that_are_not_closed_are_named(states, shown):
    """Where all are closed, there is none."""
    text = "".join(
        f'breaker_state{{breaker_name="{name}",breaker_state="{state}"}} 1\n' for name, state in states.items()
    )
    assert _board(text, text).header[-1] == ("breakers not closed", Cell(*shown))


def test_each_figure_is_of_one_object():
    """What is beside it, and what failed, counts elsewhere."""
    before = _series(
        'engine_stage_duration_seconds_count{engine_name="",engine_stage_name="a",engine_stage_outcome="%s"}',
        ok=0,
        error=0,
    ) + _series(
        'engine_stage_duration_seconds_count{engine_name="",engine_stage_name="b",engine_stage_outcome="%s"}',
        ok=0,
        error=0,
    )
    after = (
        _series(
            'engine_stage_duration_seconds_count{engine_name="",engine_stage_name="a",engine_stage_outcome="%s"}',
            ok=10.5,
            error=10.5,
        )
        + _series(
            'engine_stage_duration_seconds_count{engine_name="",engine_stage_name="b",engine_stage_outcome="%s"}',
            ok=3,
            error=1,
        )
        + _series(
            'engine_stage_duration_seconds_count{engine_name="",engine_stage_name="new",engine_stage_outcome="%s"}',
            ok=5,
        )
    )
    stages = _board(before, after).sections[0]
    assert [(row[0].text, row[1].text, row[4].text, row[8].text) for row in stages.rows] == [
        ("a", "21/s", "10/s", "50.0 %"),
        ("b", "4/s", "1/s", "25.0 %"),
        ("new", NONE, NONE, NONE),
    ]
    before = "".join(
        _series(f'cache_requests_total{{cache_name="{name}",cache_request_type="%s"}}', hit=0, miss=0)
        for name in ("a", "b")
    )
    after = (
        _series('cache_requests_total{cache_name="a",cache_request_type="%s"}', hit=3, miss=1)
        + _series('cache_requests_total{cache_name="b",cache_request_type="%s"}', hit=8, miss=8)
        + _series('cache_load_duration_seconds_count{cache_name="a",cache_load_outcome="%s"}', ok=2, error=1)
        + _series('cache_load_duration_seconds_sum{cache_name="a",cache_load_outcome="%s"}', ok=4, error=10)
        + _series('cache_load_duration_seconds_count{cache_name="b",cache_load_outcome="%s"}', ok=1)
        + _series('cache_load_duration_seconds_sum{cache_name="b",cache_load_outcome="%s"}', ok=5)
    )
    caches = _board(before, after).sections[1]
    assert [(row[0].text, row[2].text, row[7].text, row[8].text) for row in caches.rows] == [
        ("a", "75.0 %", "2 s", "6 s/s"),
        ("b", "50.0 %", "5 s", "40 s/s"),
    ]


# Each series without its pool's name, then its value at first, in a busy pool, and in a calm one.
POOLS = """
pool_resources{pool_resource_state="used"}                   0   9   0
pool_resource_limit{}                         0  10   5
pool_pending_requests{}                        0   1   0
pool_acquisitions_total{pool_acquisition_source="reused"}       0   3   0
pool_acquisitions_total{pool_acquisition_source="created"}      0   1   8
pool_use_duration_seconds_sum{}                0   5   0
pool_use_duration_seconds_bucket{le="0.5"}     0   0   -
pool_use_duration_seconds_bucket{le="1.0"}     0   0   8
pool_use_duration_seconds_bucket{le="2.0"}     0   4  16
pool_use_duration_seconds_bucket{le="+Inf"}    0   4  16
pool_wait_duration_seconds_bucket{le="0.5"}    0   0   -
pool_wait_duration_seconds_bucket{le="1.0"}    0   0   8
pool_wait_duration_seconds_bucket{le="2.0"}    0   4   8
pool_wait_duration_seconds_bucket{le="+Inf"}   0   4   8
pool_timeouts_total{}                          0   2   0
pool_rejections_total{}                        0   3   0
"""


def _pool(name, column):
    series = [line.split() for line in POOLS.splitlines() if line]
    where = f'{{pool_name="{name}",pool_kind="worker",'
    return "".join(f"{row[0].replace('{', where)} {row[column]}\n" for row in series if row[column] != "-")


def test_the_figures_of_two_pools_are_apart():
    """A pool stands out from nine tenths on, and where it turned somebody away."""
    pools = _board(_pool("a", 1) + _pool("b", 1), _pool("a", 2) + _pool("b", 3)).sections[2]
    assert _cells(pools) == [
        [
            *("a (worker)", "9/10", "90.0 %", "50.0 %", "1", "1.99 s", "4/s", "75.0 %"),
            *("1.5 s", "1.99 s", "2/s", "3/s"),
        ],
        ["b (worker)", "0/5", "0.0 %", "0.0 %", "0", "< 1 s", "8/s", "0.0 %", "1 s", "1.98 s", "0/s", "0/s"],
    ]
    assert [[at for at, cell in enumerate(row) if cell.alarming] for row in pools.rows] == [[2, 10, 11], []]
    assert pools.weights == [0.9, 0.0]


# Each series without its queue's name, then its value at first, in a queue that is full, and in one that is empty.
QUEUES = """
queue_items{}                                      0  9  0
queue_item_limit{}                                 0 10  5
queue_operations_total{queue_operation_type="put"} 0  5  8
queue_operations_total{queue_operation_type="get"} 0  4  8
queue_rejections_total{}                           0  2  0
queue_wait_duration_seconds_bucket{le="1.0"}       0  0  8
queue_wait_duration_seconds_bucket{le="2.0"}       0  4  8
queue_wait_duration_seconds_bucket{le="+Inf"}      0  4  8
"""


def _queue(name, column):
    series = [line.split() for line in QUEUES.splitlines() if line]
    where = f'{{queue_name="{name}",'
    return "".join(f"{row[0].replace('{', where)} {row[column]}\n" for row in series)


def test_the_figures_of_two_queues_are_apart():
    """A queue stands out from nine tenths on, and where it refused an item."""
    unlimited = 'queue_items{queue_name="c"} 7\n'
    queues = _board(
        _queue("a", 1) + _queue("b", 1) + unlimited, _queue("a", 2) + _queue("b", 3) + unlimited
    ).sections[3]
    assert _cells(queues) == [
        ["a", "9/10", "90.0 %", "5/s", "4/s", "1.99 s", "2/s", "1.5 s"],
        ["b", "0/5", "0.0 %", "8/s", "8/s", "< 1 s", "0/s", "< 1 s"],
        ["c", "7", *[NONE] * 6],
    ]
    assert [[at for at, cell in enumerate(row) if cell.alarming] for row in queues.rows] == [[2, 6], [], []]
    assert (queues.weights, queues.trend) == ([0.9, 0.0, 0.0], Trend("items lately", [9.0, 0.0, 7.0]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.0009, "900 µs"), (0.001, "1 ms"), (0.5, "500 ms"), (1, "1 s"), (1.5, "1.5 s")],
)
def test_a_time_is_shown_in_the_unit_that_fits(seconds, text):
    """Three digits of it."""
    labels = '{engine_name="e",engine_stage_name="s",engine_stage_outcome="ok"}'
    runs, spent = (f"engine_stage_duration_seconds_{part}{labels}" for part in ("count", "sum"))
    stages = _board(f"{runs} 0\n{spent} 0\n", f"{runs} 1\n{spent} {seconds}\n").sections[0]
    assert stages.rows[0][6].text == text


def test_memory_is_shown_in_megabytes():
    """Of a million bytes."""
    text = "process_memory_usage_bytes 1e12\n"
    assert _board(text, text).header[0][1].text == "1,000,000.0 MB"


def test_a_trend_is_of_the_figure_that_tells_how_it_goes(shown):
    """Mean time of a stage, hits of a cache, saturation of a pool; ratios go up to 1."""
    assert [section.trend for section in shown.sections] == [
        Trend("mean lately", [2.5e-05, None]),
        Trend("hits lately", [0.95, None], 1.0),
        Trend("saturation lately", [14 / 15], 1.0),
        Trend("items lately", []),
    ]


def test_rows_weigh_what_they_take(shown):
    """Time spent in a stage, lookups of a cache, saturation of a pool, each a second; nothing where none is known."""
    assert [section.weights for section in shown.sections] == [[0.025, 0.0], [5000.0, 0.0], [14 / 15], []]


def test_a_pool_is_busy_for_the_time_that_it_is_in_use():
    """Threads busy over threads there are, in the time between the scrapes; a long use that ends is at most all."""
    pool = 'pool_name="a",pool_kind="worker"'
    text = f'pool_resources{{{pool},pool_resource_state="used"}} 0\npool_resource_limit{{{pool}}} 12\n'
    used = [
        text + f'pool_use_duration_seconds_sum{{pool_name="a",pool_kind="worker"}} {seconds}\n'
        for seconds in (0, 22.8, 99)
    ]
    busy = [_cells(board(Interval(parse(used[0], at=0.0), parse(each, at=2.0))).sections[2])[0][3] for each in used]
    assert busy == ["0.0 %", "95.0 %", "100.0 %"]


def test_an_idle_cache_has_no_hit_ratio():
    """0 lookups are no ratio of 0."""
    text = 'cache_requests_total{cache_name="a",cache_request_type="hit"} 5\n'
    (row,) = _cells(_board(text, text).sections[1])
    assert row == ["a", "0/s", *[NONE] * 9]


def test_a_program_without_any_of_it_has_an_empty_board():
    """A dash where there is no data, and no rows."""
    empty = _board("", "")
    assert {cell.text for _, cell in empty.header} == {NONE}
    assert [section.rows for section in empty.sections] == [[], [], [], []]


def test_the_names_in_these_tests_are_the_catalogue_s(scrapes):
    """So that a rename shows here."""
    named = {re.split(r"[{ ]", line)[0] for line in "".join(scrapes).splitlines() if line}
    known = {row.prometheus_name for rows in SUBJECTS.values() for row in rows}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in named} <= known


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
        "stages   protocol/classify_week  rate 1,000/s  p50 < 100 µs  p99 < 100 µs  errors   0/s  active 3"
        "  mean 25 µs  p90 < 100 µs  failed   0.0 %  runs in all 2,000",
        "stages   protocol/place_order    rate   2.5/s  p50        —  p99        —  errors 2.5/s  active —"
        "  mean     —  p90        —  failed 100.0 %  runs in all    12",
        "caches   prices  requests 5,000/s  hits 95.0 %  entries 812/15,000  evictions 12/s  load p50 < 10 ms"
        "  load p99 < 10 ms  mean load 2 ms  hits save 9.5 s/s  prefetched 31  too late 2",
        "caches   weeks   requests       —  hits      —  entries          4  evictions    —  load p50       —"
        "  load p99       —  mean load    —  hits save       —  prefetched  —  too late —",
        "pools    orders (connection)  used 14/15  saturation 93.3 %  busy 50.0 %  waiting 2  wait p99 4.96 s  "
        "acquired 150/s  reused 95.0 %  use p50 —  use p99 —  timed out 1/s  refused —",
        "target gone: connection refused",
    ]


def test_plain_lines_tell_a_note_once():
    """Those that stay are not repeated with each that changes."""
    out = io.StringIO()
    with PlainView(out) as view:
        view.note([Note("no alert fires"), Note("no fault is on")])
        view.note([Note("no alert fires"), Note("fault on: slow-broker=0.3", alarming=True)])
        view.note([Note("no alert fires"), Note("no fault is on")])
    assert [line[10:] for line in out.getvalue().splitlines()] == [
        "note     no alert fires",
        "note     no fault is on",
        "note     fault on: slow-broker=0.3",
        "note     no fault is on",
    ]


def _runs(stage):
    """How often a stage without an engine ended one way or the other, which is left open."""
    labels = f'engine_name="",engine_stage_name="{stage}",engine_stage_outcome="%s"'
    return f"engine_stage_duration_seconds_count{{{labels}}}"
