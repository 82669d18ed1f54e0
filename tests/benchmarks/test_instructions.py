"""The count of instructions sees a hot path that became slower, and runs wherever the tests do."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import DEADLINE

ROOT = Path(__file__).parents[2]


def test_each_program_runs(tmp_path):
    """Each side of each in two processes."""
    command = [sys.executable, str(ROOT / "benchmarks" / "hot_paths.py"), "0"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE)
    programs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({program["name"] for program in programs}) == 8
    for program in programs:
        processes = {*program["ours"], *program["theirs"]}
        assert len(processes) == 4


@pytest.mark.servers
def test_a_slower_path_is_worse(benchmark, program, monkeypatch, tmp_path):
    """One line of Manometer says the same in a slower way: that path is worse, and no other is."""
    program("valgrind", "valgrind")
    instructions, worse_rows = benchmark("instructions"), benchmark("comparison").worse_rows
    shutil.copytree(ROOT / "src" / "manometer", tmp_path / "manometer")
    labelled = tmp_path / "manometer" / "meters" / "labelled.py"
    line, slower = 'one = f"{first!s}"', 'one = "".join(map(str, (first,)))'
    assert line in labelled.read_text()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (before,) = instructions.counted([0])
    labelled.write_text(labelled.read_text().replace(line, slower))
    (after,) = instructions.counted([0])
    assert [row.name for row, _, _ in worse_rows(after, before)] == ["labels by position, and increment"]


def test_what_is_committed_was_counted_with_the_pinned_peers():
    """Other versions of them need other counts: make speed RECORD=1."""
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
    for committed in json.loads((ROOT / "benchmarks" / "instructions.json").read_text()):
        for peer, version in committed["versions"].items():
            assert pins[peer.replace("-", "_")] == version


def test_where_valgrind_is_missing_nothing_is_counted(benchmark, monkeypatch, capsys):
    """It says so, and fails where servers must be there."""
    instructions = benchmark("instructions")
    monkeypatch.setattr(instructions.shutil, "which", lambda _: None)
    monkeypatch.delenv("REQUIRE_SERVERS", raising=False)
    assert instructions.main([]) == 0
    monkeypatch.setenv("REQUIRE_SERVERS", "1")
    assert instructions.main([]) == 1
    assert capsys.readouterr().out == "nothing counted: valgrind is missing (apt-get install valgrind)\n" * 2
