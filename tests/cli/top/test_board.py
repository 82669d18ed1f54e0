"""What `top` shows of two scrapes, as figures and as plain lines."""

import io
import re

from manometer.catalogue import SUBJECTS
from manometer.cli.top.figures import NONE, board
from manometer.cli.top.interval import Interval
from manometer.cli.top.notes import Note
from manometer.cli.top.plain import PlainView
from manometer.cli.top.snapshot import parse


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
    assert shown.sections[0].rows[1][4].alarming
    assert not shown.sections[0].rows[0][4].alarming


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


def test_a_pool_is_busy_for_the_time_that_it_is_in_use():
    """Threads busy over threads there are, in the time between the scrapes; a long use that ends is at most all."""
    text = 'pool_resources{pool="a",kind="worker",state="used"} 0\npool_resources_limit{pool="a",kind="worker"} 12\n'
    used = [
        text + f'pool_use_duration_seconds_sum{{pool="a",kind="worker"}} {seconds}\n' for seconds in (0, 22.8, 99)
    ]
    busy = [_cells(board(Interval(parse(used[0], at=0.0), parse(each, at=2.0))).sections[2])[0][3] for each in used]
    assert busy == ["0.0 %", "95.0 %", "100.0 %"]


def test_an_idle_cache_has_no_hit_ratio():
    """0 lookups are no ratio of 0."""
    text = 'cache_requests_total{cache="a",result="hit"} 5\n'
    (row,) = _cells(board(Interval(parse(text, at=0.0), parse(text, at=1.0))).sections[1])
    assert row == ["a", "0/s", *[NONE] * 9]


def test_a_program_without_any_of_it_has_an_empty_board():
    """A dash where there is no data, and no rows."""
    empty = board(Interval(parse("", at=0.0), parse("", at=1.0)))
    assert {cell.text for _, cell in empty.header} == {NONE}
    assert [section.rows for section in empty.sections] == [[], [], []]


def test_the_names_in_these_tests_are_the_catalogue_s(scrapes):
    """So that a rename shows here."""
    named = {re.split(r"[{ ]", line)[0] for line in "".join(scrapes).splitlines() if line}
    known = {row.prometheus_name for rows in SUBJECTS.values() for row in rows}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in named if not name.startswith("process_")} <= known


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
