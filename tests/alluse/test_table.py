"""Tests of alluse.table."""

import signal
import sys
from pathlib import Path

from alluse.table import Table
from waiting import until


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def _until_ended(table: Table) -> int | None:
    until(lambda: table.ended is not None)
    return table.ended


def test_table_is_told_where_to_look():
    """An exporter that listens everywhere is asked at this machine's own address."""
    table = Table("http://0.0.0.0:9464", _python("import sys; sys.exit(sys.argv[1] != 'http://127.0.0.1:9464')"))
    with table:
        assert _until_ended(table) == 0


def test_end_of_the_table_is_seen():
    """With its status; one that was never shown has not ended."""
    table = Table("http://127.0.0.1:1", _python("raise SystemExit(3)"))
    assert table.ended is None
    table.start()
    assert _until_ended(table) == 3
    table.close()


def test_closing_ends_the_table():
    """Whether it is shown still, or never was."""
    Table("http://127.0.0.1:1").close()
    table = Table("http://127.0.0.1:1", _python("import time; time.sleep(60)")).start()
    assert table.ended is None
    table.close()
    assert table.ended is not None


def test_notes_go_to_the_table(tmp_path: Path):
    """Each time that they change: the lines, and an empty one after them."""
    told = tmp_path / "told"
    code = f"import pathlib, sys; pathlib.Path({str(told)!r}).write_text(sys.stdin.read())"
    table = Table("http://127.0.0.1:1", _python(code)).start()
    for notes in (["no alert fires", "! fault on"], ["no alert fires", "! fault on"], []):
        table.note(notes)
    table._process.stdin.close()
    assert _until_ended(table) == 0
    table.close()
    assert told.read_text() == "no alert fires\n! fault on\n\n\n"


def test_table_that_reads_nothing_holds_nobody_up():
    """Nor does one that was not started, or has ended."""
    table = Table("http://127.0.0.1:1", _python("import time; time.sleep(60)"))
    table.note(["not yet"])
    table.start()
    for number in range(200):
        table.note(["x" * 1_000, str(number)])
    table.close()
    table.note(["any more"])


def test_ctrl_c_is_for_the_demo_alone():
    """The table goes on until it is closed, however early in its life the terminal sends the signal."""
    table = Table("http://127.0.0.1:1", _python("import sys; sys.stdin.readline(); sys.exit(7)")).start()
    for _ in range(20):
        table._process.send_signal(signal.SIGINT)
    table.note(["end"])
    assert _until_ended(table) == 7
    table.close()
