"""The last report: what is in it, when it is left, and that nobody notices it otherwise."""

import os
import re
import signal
import stat
import subprocess
import sys
import threading

import pytest
from prometheus_client import CollectorRegistry

from holding import Held, released
from manometer import ConfigError, Counter, Life, Manometer, Settings, asgi_app, wsgi_app
from manometer.life import last_report
from manometer.life.last_report import LastReport
from manometer.life.private_file import close_unneeded, opened_to_append
from manometer.whole_file import write_whole
from waiting import DEADLINE, joined

PROGRAM = """
import sys, threading, time
import manometer

orders = manometer.Counter("orders", "Orders.")
orders.inc(3)

def wait_for_orders():
    time.sleep(1000)

threading.Thread(target=wait_for_orders, name="book", daemon=True).start()
settings = manometer.Settings(port=0, service_name="shop", crash_report=sys.argv[1])
"""


def _run(path, program, status):
    """Run the program to its end; what it wrote to standard error."""
    command = [sys.executable, "-c", PROGRAM + program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == status, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "program",
    [
        "manometer.Manometer(settings).start()\nraise ValueError('no order: password=hunter2')",
        "with manometer.Manometer(settings):\n    raise ValueError('no order: password=hunter2')",
        "with manometer.Life(settings) as life:\n    life.start(manometer.Manometer(settings))\n    life.ready()\n"
        "    raise ValueError('no order: password=hunter2')",
    ],
    ids=["uncaught", "in a Manometer", "in a Life"],
)
def test_a_crash_leaves_a_report(tmp_path, program):
    """Why, where every thread was, and the last figures, for its user alone; Python says what it says without it."""
    path = tmp_path / "crash.txt"
    said = _run(path, program, 1)
    text = path.read_text()
    assert re.match(r"Last report of shop, process \d+, \d{4}-\d\d-\d\dT", text)
    assert "An exception ended the thread 'MainThread':\n\nTraceback (most recent call last):" in text
    assert "ValueError: no order: password=***" in text
    assert re.search(r"thread 'book'\n(    .*\n)*    .* wait_for_orders\n", text)
    assert "\norders_total 3.0\n" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.stat().st_size] == ["crash.txt"]
    assert said.startswith("Traceback (most recent call last):")
    assert said.count("ValueError: no order: password=hunter2") == 1  # as ever, on the program's own standard error


@pytest.mark.parametrize("program", ["sys.exit(1)", "raise KeyboardInterrupt", "sys.exit('no')", ""])
def test_an_end_that_is_no_crash_leaves_none(tmp_path, program):
    """Neither by an exit status nor by Ctrl-C; and no file of a fatal error that never was."""
    path = tmp_path / "crash.txt"
    command = [
        sys.executable,
        "-c",
        f"{PROGRAM}with manometer.Manometer(settings):\n    {program or 'pass'}",
        str(path),
    ]
    subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False)
    assert [*tmp_path.iterdir()] == []


def test_a_fatal_error_leaves_what_python_says_of_it(tmp_path):
    """Behind what was there: a program that is started again and again keeps the first ones."""
    path, fatal = tmp_path / "crash.txt", tmp_path / "crash.txt.fatal"
    fatal.write_text("before\n")
    program = "with manometer.Manometer(settings):\n    import faulthandler; faulthandler._sigsegv()"
    _run(path, program, -11)
    text = fatal.read_text()
    assert text.startswith("before\nFatal Python error: Segmentation fault\n")
    assert "wait_for_orders" in text
    assert not path.exists()


def test_a_fatal_error_leaves_it_also_after_a_forked_child_has_ended(tmp_path):
    """The child ends by the same code as the program, and the file is not the child's to remove."""
    path = tmp_path / "crash.txt"
    _run(
        path,
        "import faulthandler, os\nmanometer.start(port=0, crash_report=sys.argv[1])\nchild = os.fork()\n"
        "if not child:\n    sys.exit()\nos.waitpid(child, 0)\nfaulthandler._sigabrt()",
        -signal.SIGABRT,
    )
    assert (tmp_path / "crash.txt.fatal").read_text().startswith("Fatal Python error: Aborted")


def test_the_file_of_fatal_errors_stays_while_another_process_has_it(tmp_path):
    """Worker processes have one setting. The last one that ends without an error removes the file."""
    path = tmp_path / "fatal"
    ours = opened_to_append(path, 10)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from manometer.life.private_file import close_unneeded, opened_to_append\n"
        "path = Path(sys.argv[1])\nclose_unneeded(opened_to_append(path, 10), path)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], timeout=DEADLINE, check=True)
    assert path.exists()
    close_unneeded(ours, path)
    assert not path.exists()
    with opened_to_append(path, 10) as written:
        written.write(b"Fatal Python error")
        close_unneeded(written, path)
    assert path.exists()


def test_the_program_s_own_faulthandler_is_left_alone(tmp_path):
    """It goes on writing where the program has it write."""
    path = tmp_path / "crash.txt"
    program = (
        "import faulthandler; faulthandler.enable()\nwith manometer.Manometer(settings):\n    faulthandler._sigsegv()"
    )
    assert "Fatal Python error: Segmentation fault" in _run(path, program, -11)
    assert (tmp_path / "crash.txt.fatal").read_text() == ""


@pytest.fixture
def hooks():
    """What hooks there are is afterwards as it was."""
    before = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = before
    released()


@pytest.fixture
def report(tmp_path, hooks):
    """A report that is installed, on a registry with a counter."""
    registry = CollectorRegistry()
    Counter("orders", "Orders.", registry=registry).inc(3)
    report = LastReport(str(tmp_path / "crash.txt"), registry, "shop")
    undo = report.install()
    yield report
    undo()


@pytest.fixture
def seen(hooks):
    """What the program's own hooks are called with."""
    seen = []
    sys.excepthook = lambda *given: seen.append(given)
    threading.excepthook = seen.append
    return seen


def _dying(error):
    def die():
        raise error

    thread = threading.Thread(target=die, name="feed")
    thread.start()
    joined(thread)


def test_the_program_s_own_hooks_are_called_unchanged(seen, report, tmp_path):
    """With the very exception; the hooks come back when it ends, where nobody has set others."""
    try:
        raise ZeroDivisionError("no")
    except ZeroDivisionError:
        given = sys.exc_info()
    sys.excepthook(*given)
    assert seen == [given]
    assert "ZeroDivisionError: no" in (tmp_path / "crash.txt").read_text()
    _dying(ValueError("thread"))
    assert (seen[1].exc_type, seen[1].thread.name) == (ValueError, "feed")


def test_the_hooks_come_back(seen, tmp_path):
    """Unless somebody has put others in their place, which then stay, and call ours in vain."""
    before = sys.excepthook, threading.excepthook
    undo = LastReport(str(tmp_path / "crash.txt"), CollectorRegistry(), "shop").install()
    undo()
    assert (sys.excepthook, threading.excepthook) == before
    undo = LastReport(str(tmp_path / "crash.txt"), CollectorRegistry(), "shop").install()
    ours = sys.excepthook
    sys.excepthook = lambda *given: ours(*given)
    theirs = sys.excepthook
    undo()
    assert sys.excepthook is theirs
    theirs(ValueError, ValueError("late"), None)
    assert len(seen) == 1
    assert [*tmp_path.iterdir()] == []


def test_a_thread_that_dies_leaves_one_too_and_not_too_many(seen, report, tmp_path, monkeypatch):
    """The program goes on, and its threads may die as often as they are started."""
    path = tmp_path / "crash.txt"
    _dying(ValueError("first"))
    assert "An exception ended the thread 'feed':" in path.read_text()
    _dying(ValueError("second"))
    assert "ValueError: first" in path.read_text()
    monkeypatch.setattr(last_report, "_APART", 0.0)
    _dying(ValueError("third"))
    assert "ValueError: third" in path.read_text()
    _dying(SystemExit())
    assert "ValueError: third" in path.read_text()
    assert len(seen) == 4


def test_two_reports_of_one_exception_are_both_left(report, seen, tmp_path):
    """As of two Manometers of one program, each of which names a file of its own; each is written once."""
    other = tmp_path / "other.txt"
    undo = LastReport(str(other), CollectorRegistry(), "mail").install()
    error = ValueError("no")
    try:
        last_report.leave_reports(error)
        written = [path.read_text() for path in (tmp_path / "crash.txt", other)]
        assert [text.split(",")[0] for text in written] == ["Last report of shop", "Last report of mail"]
        assert all("ValueError: no" in text for text in written)
        sys.excepthook(ValueError, error, None)
        assert [path.read_text() for path in (tmp_path / "crash.txt", other)] == written
    finally:
        undo()


def test_an_application_leaves_reports_too(hooks, tmp_path):
    """To the end of the process, and through one hook, however many applications there are."""
    registry, path = CollectorRegistry(), str(tmp_path / "crash.txt")
    for make in (wsgi_app, asgi_app):
        make(registry, crash_report=path)
    (report,) = last_report._installed
    try:
        report.leave(ValueError("no"), "MainThread")
        assert "ValueError: no" in (tmp_path / "crash.txt").read_text()
    finally:
        report._uninstall()


def test_the_report_is_bounded(report, tmp_path, monkeypatch):
    """Whatever the exception says, however deep it was raised, and however many figures there are."""
    many = Counter("many", "Many.", ["number"], registry=report._registry)
    for number in range(1000):
        many.labels(str(number)).inc()
    monkeypatch.setattr(last_report, "SIZE", 100_000)
    report.leave(ValueError("long" * 1_000_000), "MainThread")
    text = (tmp_path / "crash.txt").read_text()
    assert 90_000 < len(text) <= 100_000
    assert "\n[...]\n" in text
    assert text.endswith("\n")
    report.leave(ValueError("short"), "MainThread")
    assert 'many_total{number="999"} 1.0\n' in (tmp_path / "crash.txt").read_text()


def test_a_traceback_has_no_part_of_a_secret_where_it_is_cut(report, tmp_path):
    """As amid the password of a URL."""
    report.leave(ValueError(f"postgres://shop:{'hunter2' * 20_000}@db"), "MainThread")
    told = (tmp_path / "crash.txt").read_text()
    assert "postgres://***@db" in told
    assert "hunt" not in told


def test_so_many_threads_and_so_many_frames_are_told(report, tmp_path, monkeypatch):
    """The innermost frames, which say what a thread waits for."""
    monkeypatch.setattr(last_report, "_THREADS", 3)
    monkeypatch.setattr(last_report, "_FRAMES", 2)
    ends = threading.Event()

    def deep(levels):
        return deep(levels - 1) if levels else ends.wait(DEADLINE)

    threads = [threading.Thread(target=deep, args=(30,)) for _ in range(4)]
    for each in threads:
        each.start()
    report.leave(ValueError("no"), "MainThread")
    ends.set()
    joined(*threads)
    ran = (tmp_path / "crash.txt").read_text().partition("What ran:\n")[2].partition("\n\n")[0].splitlines()
    assert ran[-1] == "and more threads"
    told = [line for line in ran if line.startswith("thread ")]
    assert len(told) == 3
    assert len(ran) <= 3 * (1 + 2) + 1


def test_what_a_crash_amid_the_writing_left_is_no_hindrance(tmp_path):
    """A part of a file, of a process with the same number."""
    path = tmp_path / "crash.txt"
    left = tmp_path / f".crash.txt.{os.getpid()}.{threading.get_ident()}"
    left.write_text("part of a rep")
    write_whole(path, b"report", 0o600)
    assert path.read_bytes() == b"report"
    assert [*tmp_path.iterdir()] == [path]


def test_a_collector_that_hangs_costs_its_own_figures_alone(report, tmp_path, monkeypatch):
    """The program ends all the same."""
    monkeypatch.setattr(last_report, "_PATIENCE", last_report.Limits(0.05, 0.2))
    Held(report._registry)
    report.leave(ValueError("no"), "MainThread")
    assert "\norders_total 3.0\n" in (tmp_path / "crash.txt").read_text()


def test_an_exception_that_cannot_be_told_is_named(report, tmp_path):
    """It is the program's, and may fail at anything."""

    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    report.leave(MuteError(), "MainThread")
    assert "MuteError" in (tmp_path / "crash.txt").read_text()


def test_an_exception_that_cannot_be_asked_anything_passes_unchanged(tmp_path):
    """What it has instead of attributes is the program's, and may fail."""

    class OddError(Exception):
        def __getattr__(self, name):
            raise KeyError(name)

    path = tmp_path / "crash.txt"
    settings = Settings(port=0, crash_report=str(path))
    with pytest.raises(OddError), Manometer(settings, registry=CollectorRegistry()):
        raise OddError
    assert "OddError" in path.read_text()


def test_a_report_that_cannot_be_written_is_one_line(report, tmp_path, monkeypatch, caplog):
    """The report before stays, and nothing half written beside it."""
    report.leave(ValueError("first"), "MainThread")
    before = (tmp_path / "crash.txt").read_text()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report.leave(ValueError("second"), "MainThread")
    assert (tmp_path / "crash.txt").read_text() == before
    assert {each.name for each in tmp_path.iterdir()} == {"crash.txt", "crash.txt.fatal"}
    (message,) = caplog.messages
    assert message.startswith(f"no last report could be left in {tmp_path / 'crash.txt'}: ")


def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path):
    """And not when it is needed; nothing has started then."""
    settings = Settings(port=0, crash_report=str(tmp_path / "none" / "crash.txt"))
    with pytest.raises(ConfigError, match=r"crash_report .* cannot be written \(No such file or directory\); name"):
        Manometer(settings, registry=CollectorRegistry()).start()


def test_a_directory_is_refused_at_the_start(tmp_path):
    """The report could not take its place; and no file of fatal errors is left beside it."""
    (tmp_path / "reports").mkdir()
    settings = Settings(port=0, crash_report=str(tmp_path / "reports"))
    with pytest.raises(ConfigError, match=r"crash_report .*reports cannot be written \(Is a directory\); name"):
        Manometer(settings, registry=CollectorRegistry()).start()
    assert [each.name for each in tmp_path.iterdir()] == ["reports"]


def test_no_link_is_followed(tmp_path):
    """Where others may write to the folder, one of them could choose what is overwritten."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "crash.txt").symlink_to(precious)
    write_whole(tmp_path / "crash.txt", b"report", 0o600)
    assert precious.read_text() == "precious"
    assert (tmp_path / "crash.txt").read_text() == "report"
    (tmp_path / "fatal").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        opened_to_append(tmp_path / "fatal", 10)


def test_nobody_is_waited_for(tmp_path):
    """A pipe would have the program wait for its reader, and is no file."""
    os.mkfifo(tmp_path / "crash.txt.fatal")
    settings = Settings(port=0, crash_report=str(tmp_path / "crash.txt"))
    with pytest.raises(ConfigError, match=r"crash_report .* cannot be written"):
        Manometer(settings, registry=CollectorRegistry()).start()
    reader = os.open(tmp_path / "crash.txt.fatal", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(ConfigError, match=r"crash_report .* cannot be written \(no regular file\)"):
            Manometer(settings, registry=CollectorRegistry()).start()
    finally:
        os.close(reader)


def test_fatal_errors_are_not_kept_without_end(tmp_path):
    """Where there are too many, it begins anew."""
    (tmp_path / "fatal").write_bytes(b"x" * 11)
    with opened_to_append(tmp_path / "fatal", 11) as file:
        file.write(b"y")
    with opened_to_append(tmp_path / "fatal", 11):
        pass
    assert (tmp_path / "fatal").read_bytes() == b""


def test_a_life_without_reports_leaves_none(tmp_path, monkeypatch):
    """It is for those who asked."""
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(ValueError, match="no"),
        Life(Settings(), registry=CollectorRegistry(), signals=False),
    ):
        raise ValueError("no")
    assert [*tmp_path.iterdir()] == []
