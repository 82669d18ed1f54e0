"""What grows is found at the line that allocates it, and nothing else of the program changes."""

import re
import threading
import tracemalloc
from pathlib import Path

import pytest

import manometer
from forking import in_child
from manometer.heap import growth, report
from manometer.heap.growth import Growth, Site, measured
from waiting import joined, until


@pytest.fixture
def kept():
    """What a leak keeps."""
    return []


def working(work):
    """A stopped-function that has the program's other threads do some work each time, and never stops."""

    def stopped(_):
        thread = threading.Thread(target=work)
        thread.start()
        joined(thread)
        return False

    return stopped


def line_of(text):
    """The number of the line in this file."""
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(text))


def test_the_line_that_keeps_ever_more_is_first(kept):
    """With its callers, and what it holds more than at the first look."""

    def leak():
        kept.append(bytearray(100_000))  # the leak

    found = measured(0.1, working(leak))
    first = found.sites[0]
    assert first.frames[0] == (
        f"{growth._short(__file__)}:{line_of('# the leak')}",
        "kept.append(bytearray(100_000))  # the leak",
    )
    assert first.grown >= 100_000 * first.blocks // 2 > 0
    assert first.held >= first.grown
    assert found.grown >= first.grown


def test_work_that_comes_and_goes_is_not_told(kept):
    """It is there at both looks: here, a list of the same size each time."""

    def come_and_go():
        kept[:] = [bytearray(100_000) for _ in range(10)]

    found = measured(0.1, working(come_and_go))
    assert sum(site.grown for site in found.sites) < 500_000


def test_tracing_ends_with_the_measurement(kept):
    """It costs time, with every allocation."""
    seen = []
    measured(0.001, lambda _: seen.append(tracemalloc.is_tracing()))
    assert set(seen) == {True}
    assert not tracemalloc.is_tracing()


def test_tracing_of_the_programs_own_goes_on():
    """As with PYTHONTRACEMALLOC."""
    tracemalloc.start(1)
    try:
        assert measured(0.001, lambda _: False) is not None
        assert tracemalloc.is_tracing()
        assert tracemalloc.get_traceback_limit() == 1
    finally:
        tracemalloc.stop()


def test_one_that_is_stopped_tells_nothing():
    """The program ends; nothing is traced any more."""
    assert measured(60, lambda _: True) is None
    assert not tracemalloc.is_tracing()


def test_it_ends_early_where_there_is_too_much_to_note_down(kept, monkeypatch):
    """Its memory is bounded, however many blocks a program allocates."""
    monkeypatch.setattr(growth, "TRACED_AT_MOST", 100_000)

    def stopped(_):
        kept.extend(bytearray(1) for _ in range(2000))
        return False

    assert measured(10_000_000, stopped) is not None


def test_a_child_forked_amid_it_traces_nothing():
    """It would for ever, as nobody measures there. It can measure itself."""

    def work():
        assert not tracemalloc.is_tracing()
        assert measured(0.001, lambda _: False) is not None

    went = threading.Event()

    def stopped(_):
        went.set()
        return done.wait(0.01)

    done = threading.Event()
    thread = threading.Thread(target=measured, args=(10_000_000, stopped))
    thread.start()
    try:
        until(went.is_set)
        in_child(work)
    finally:
        done.set()
        joined(thread)


def test_the_public_function_tells_it_as_a_text(monkeypatch):
    """Of this process, now."""
    monkeypatch.setattr(report.time, "sleep", lambda _: None)
    text = manometer.memory_report(0.01)
    assert re.match(r"What takes more memory: process \d+, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", text)
    assert "What Python allocated grew by" in text


def _growth(**changed):
    frames = (("shop/cache.py:12", "seen[key] = value"), ("shop/web.py:7", "remember(key, value)"))
    sites = (Site(frames, 9_000_000, 60, 9_500_000), Site((("<string>:1", ""),), 100_000, 1, 100_000))
    whole = {"seconds": 450.0, "resident": 112_400_000, "resident_grown": 9_600_000, "grown": 9_100_000}
    return Growth(**whole | {"sites": sites} | changed)


def test_the_text_has_each_site_with_its_callers():
    """Innermost first, as somebody looks for who keeps it."""
    head, *rest = report.told(_growth(), "shop").splitlines()
    assert head.startswith("What takes more memory: shop, process ")
    assert rest == [
        "In 450 s, resident memory grew by 9.60 MB to 112.40 MB. What Python allocated grew by 9.10 MB.",
        "",
        "1. 9.00 MB more in 60 blocks more, 9.50 MB in all",
        "   shop/cache.py:12  seen[key] = value",
        "   shop/web.py:7     remember(key, value)",
        "",
        "2. 0.10 MB more in 1 blocks more, 0.10 MB in all",
        "   <string>:1",
    ]


def test_the_text_says_where_python_did_not_allocate_it():
    """Nobody should look for it among lines of Python then."""
    assert "not allocated by Python" not in report.told(_growth())
    assert "not allocated by Python" in report.told(_growth(grown=1_000_000))
    assert "not allocated by Python" not in report.told(_growth(resident_grown=100_000, grown=0))
