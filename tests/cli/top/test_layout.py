"""A board fits the terminal that it is shown in, and says what does not fit."""

import io
import re

import pytest
from rich.console import Console

from manometer.cli.top.figures import Board, Cell, Section, Trend
from manometer.cli.top.layout import laid_out
from manometer.cli.top.live import LiveView
from manometer.cli.top.notes import Note
from manometer.cli.top.trend import Trends, sparkline

NOTES = [Note("Prometheus http://127.0.0.1:9090  Alertmanager http://127.0.0.1:9093"), Note("no alert fires")]
ALL = [
    "memory 84.0 MB  cpu 41.0 %  gc pause p99 9.91 ms  breakers not closed broker open",
    "",
    "stage                      rate       p50       p99  errors  active   mean       p90   failed  runs in all",
    "protocol/classify_week  1,000/s  < 100 µs  < 100 µs     0/s       3  25 µs  < 100 µs    0.0 %        2,000",
    "protocol/place_order      2.5/s         —         —   2.5/s       —      —         —  100.0 %           12",
    "",
    "cache   requests    hits     entries  evictions  load p50  load p99  mean load  hits save  prefetched  too late",
    "prices   5,000/s  95.0 %  812/15,000       12/s   < 10 ms   < 10 ms       2 ms    9.5 s/s          31         2",
    "weeks          —       —           4          —         —         —          —          —           —         —",
    "",
    "pool                  used  saturation    busy  waiting  wait p99  acquired  reused  use p50  use p99"
    "  timed out  refused",
    "orders (connection)  14/15      93.3 %  50.0 %        2    4.96 s     150/s  95.0 %        —        —"
    "        1/s        —",
]


def _lines(board, width, height=40, notes=(), trends=None):
    laid = laid_out(board, notes, trends or Trends(), width, height)
    return ["".join(piece.text for piece in line).rstrip() for line in laid]


def _without_trends(lines):
    """The lines of ALL, without what stands to the right of them."""
    return [line[: len(whole)] for line, whole in zip(lines, ALL, strict=True)]


def _alarming(board, width, height):
    laid = laid_out(board, (), Trends(), width, height)
    return [piece.text.strip() for line in laid for piece in line if piece.style == "bold red"]


def test_what_fits_is_shown_whole(shown):
    """Names to the left, figures to the right, under their heads; nothing is said to be hidden."""
    assert _without_trends(_lines(shown, 121, 12)) == ALL


def test_a_narrow_terminal_says_how_wide_all_would_be(shown):
    """Columns are left out from the right, the ones that matter least."""
    lines = _lines(shown, 84)
    assert lines[2] == "stage                      rate       p50       p99  errors  active   mean       p90"
    assert lines[-1] == "9 columns hidden: 121 characters a line show all"
    assert lines[:-1] == [line[: len(cut)] for line, cut in zip(ALL, lines, strict=False)]
    assert len(_lines(shown, 84, 13)) == 13
    assert len(_lines(shown, 84, 12)) == 10  # that line takes the place of those between the tables


def test_a_name_is_cut_before_the_first_five_figures_are_left_out(shown):
    """Down to twelve characters."""
    assert _lines(shown, 66)[4] == "protocol/classify_we…  1,000/s  < 100 µs  < 100 µs     0/s       3"
    assert _lines(shown, 57)[4] == "protocol/cl…  1,000/s  < 100 µs  < 100 µs     0/s       3"
    assert _lines(shown, 56)[4].split() == ["protocol/classify_…", "1,000/s", *["<", "100", "µs"] * 2, "0/s"]


def test_a_low_terminal_says_how_high_all_would_be(shown):
    """Rows are left out of the longest tables; those that alarm stay longest."""
    assert len(_lines(shown, 121, 11)) == 9  # the lines between the tables go before any row does
    lines = _lines(shown, 121, 8)
    assert len(lines) == 8
    assert lines[-1] == "2 rows hidden: 12 lines show all"
    assert "protocol/place_order" in lines[2]
    assert "prices" in lines[4]
    assert {"broker open", "2.5/s", "93.3 %"} <= {text.rpartition("closed ")[2] for text in _alarming(shown, 121, 8)}


def test_rows_that_matter_least_go_first():
    """By how much of the time a stage takes, how often a cache is asked, how full a pool is; the order stays."""
    names, weights = "abcde", [0.0, 3.0, 2.0, 0.0, 0.0]
    rows = [(Cell(name), Cell("!", alarming=name == "d")) for name in names]
    section = Section("stages", ("stage", "errors"), rows, weights, Trend("mean lately", weights))
    shown = [[line[0] for line in _lines(Board([], [section]), 40, height)[2:-1]] for height in (7, 6, 5, 4)]
    assert shown == [["a", "b", "c", "d"], ["b", "c", "d"], ["b", "d"], ["d"]]


@pytest.mark.parametrize("size", [(60, 6), (80, 5), (20, 3), (1, 1)])
def test_a_small_terminal_names_the_size_that_shows_all(shown, size):
    """Both ways."""
    lines = _lines(shown, *size)
    assert re.fullmatch(r"\d+ columns and \d+ rows hidden: 121x12 shows all", lines[-1])


@pytest.mark.parametrize("width", range(1, 131, 3))
@pytest.mark.parametrize("height", [6, 9, 40])
def test_no_line_and_no_figure_is_cut_in_half(shown, width, height):
    """As many lines as there are, or fewer; a figure is there or not."""
    lines = _lines(shown, width, height)
    whole = {word for line in [*ALL, "mean hits saturation lately"] for word in line.split()}
    tables = [
        line for line in lines if not line.startswith(("memory", "cpu", "gc", "breakers")) and "hidden" not in line
    ]
    assert all(len(line) <= width for line in tables)
    assert all(word in whole or "…" in word for line in tables for word in line.split())
    if width >= 60:
        assert len(lines) <= height or height == 6


def test_the_size_that_it_asks_for_is_enough(shown):
    """And one less is not."""
    for notes in ((), NOTES):
        wide, high = map(int, re.search(r"(\d+)x(\d+)", _lines(shown, 20, 5, notes)[-1]).groups())
        assert "hidden" not in _lines(shown, wide, high, notes)[-1]
        assert "hidden" in _lines(shown, wide - 1, high, notes)[-1]


def test_a_wide_terminal_shows_how_figures_went(shown):
    """A bar an interval, beside the rows of each table, as many as there is room for."""
    trends = Trends()
    for _ in range(3):
        trends.add(shown)
    lines = _lines(shown, 200, trends=trends)
    assert lines[2].endswith("mean lately")
    assert lines[3].endswith(" ███")
    assert lines[6].endswith("hits lately")
    assert lines[7].endswith(" ███")
    assert lines[8] == ALL[8]
    assert all(len(line) <= 200 for line in lines)
    for _ in range(200):
        trends.add(shown)
    assert _lines(shown, 200, trends=trends)[3].count("█") == 60
    assert len(trends.of("caches", "prices")) == 60


def test_a_trend_is_shown_where_there_is_room_for_its_head():
    """Its bars go up to the highest that there can be, where there is such."""
    section = Section("pools", ("pool", "used"), [(Cell("a"), Cell("1"))], [0.0], Trend("saturation", [0.5], 1.0))
    board, trends = Board([], [section]), Trends()
    trends.add(board)
    assert _lines(board, 22, trends=trends)[2:] == ["pool  used  saturation", "a        1           ▅"]
    assert _lines(board, 21, trends=trends)[2:] == ["pool  used", "a        1"]


def test_a_trend_is_of_one_object_as_long_as_it_is_there(shown):
    """What goes and comes back begins anew."""
    trends = Trends()
    trends.add(shown)
    trends.add(Board([], []))
    trends.add(shown)
    assert trends.of("caches", "prices") == (0.95,)
    assert trends.of("caches", "none") == ()


def test_bars_go_from_nothing_to_the_highest():
    """By itself the highest is the figures' own; where there is no figure there is a gap."""
    assert sparkline([0, 1, 2, None, 7]) == "▁▂▃ █"
    assert sparkline([0, 0.25, 0.5, 2], 1.0) == "▁▃▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


def test_notes_stand_above_the_figures(shown):
    """They are wrapped where two spaces part them, so that a link stays whole."""
    lines = _lines(shown, 121, notes=NOTES)
    assert lines[:3] == [*(note.text for note in NOTES), ALL[0]]
    assert _lines(shown, 68, notes=NOTES)[0] == NOTES[0].text
    assert _lines(shown, 67, notes=NOTES)[:2] == NOTES[0].text.split("  ")


def test_styles_tell_what_to_look_at(shown):
    """Red for what alarms, notes in the background, heads apart from figures, bars and what is hidden."""
    trends = Trends()
    trends.add(shown)
    notes = [Note("fault on", alarming=True), Note("no alert fires")]
    styles = [[piece.style for piece in line] for line in laid_out(shown, notes, trends, 140, 10)]
    assert styles[:3] == [["bold red"], ["dim"], ["bold", "", "bold", "", "bold", "", "bold red"]]
    assert styles[3] == ["bold cyan"] * 11
    assert styles[4] == [*[""] * 4, "bold red", *[""] * 3, "bold red", "", "green"]
    assert styles[-1] == ["yellow"]


def test_a_program_that_has_nothing_to_show_is_said_to():
    """Rather than an empty screen."""
    empty = Board([("memory", Cell("1 MB"))], [Section("stages", ("stage",), [], [], Trend("mean lately", []))])
    assert _lines(empty, 80)[-1] == "no stages, caches, pools or queues are among its figures yet"


def _drawn(width, height, steps, *, terminal=True, colors=None):
    out = io.StringIO()
    options = {"force_terminal": True, "color_system": colors} if terminal else {}
    with LiveView("http://127.0.0.1:9464/metrics", Console(file=out, width=width, height=height, **options)) as view:
        steps(view)
        during = out.getvalue()
    return during, out.getvalue()[len(during) :]


def test_figures_stay_while_the_target_is_gone(shown):
    """The message stands above the last figures."""

    def steps(view):
        view.show(shown)
        view.say("target gone: connection refused")

    during, _ = _drawn(100, 40, steps)
    assert "protocol/classify_week" in during.rpartition("target gone")[2]


def test_there_is_a_table_before_there_are_figures():
    """It says what it waits for, without a cursor, which is given back at the end."""
    during, left = _drawn(80, 4, lambda _: None)
    assert "\x1b[?25l" in during
    head, message, *rest = re.sub(r"\x1b\[[?\d]*[a-zA-Z]", "", during).split("\n")
    assert re.fullmatch(r"http://127\.0\.0\.1:9464/metrics  \d\d:\d\d:\d\d *", head)
    assert message.rstrip() == "waiting for its first figures"
    assert [line.strip() for line in rest] == ["", ""]
    assert "\x1b[?25h" in left


def test_a_message_is_one_line_and_stands_out():
    """However long it is; the target and the time stay in the background."""
    during, _ = _drawn(40, 4, lambda view: view.say("target gone: " + "x" * 40), colors="standard")
    head, message, *rest = during.rpartition("\x1b[2m")[2].split("\n")
    assert head.startswith("http://127.0.0.1:9464/metrics  ")
    assert message.startswith(f"\x1b[1;31mtarget gone: {'x' * 26}…")
    assert [line.strip() for line in rest] == ["", ""]


@pytest.mark.parametrize(("height", "hidden"), [(11, False), (10, True)])
def test_the_table_leaves_room_for_its_head(shown, height, hidden):
    """A line for the target and the time."""
    during, _ = _drawn(121, height, lambda view: view.show(shown))
    assert ("1 row hidden: 13 lines show all" in during) == hidden


def test_the_last_board_is_left_behind_once(shown):
    """On the terminal's own screen, whole, whatever its height; what notes said is not true any more."""

    def steps(view):
        view.note(NOTES)
        for _ in range(3):
            view.show(shown)

    _, left = _drawn(121, 6, steps)
    assert left.count("memory 84.0 MB") == left.count("protocol/place_order") == 1
    assert left.startswith("\x1b[?1049l")
    assert "Alertmanager" not in left


def test_a_table_for_no_terminal_is_the_last_board_alone(shown):
    """With the target and the time of day."""
    during, left = _drawn(121, 40, lambda view: view.show(shown), terminal=False)
    assert during == ""
    assert re.fullmatch(r"http://127\.0\.0\.1:9464/metrics  \d\d:\d\d:\d\d", left.splitlines()[0])
    assert _without_trends(left.splitlines()[1:]) == ALL
