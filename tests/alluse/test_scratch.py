"""Tests of alluse.scratch."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from alluse.errors import SettingsError
from alluse.scratch import Scratch

CRASHING = """
import os, sys, tempfile
from alluse.scratch import Scratch
tempfile.tempdir = sys.argv[1]
(Scratch("book-").path / "kept").write_text("x")
os._exit(70)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folder_is_there_until_it_is_closed(temporary: Path):
    """With all that is in it; a second close does nothing."""
    scratch = Scratch("book-")
    (scratch.path / "inside").mkdir()
    assert scratch.path.parent == temporary
    scratch.close()
    scratch.close()
    assert list(temporary.iterdir()) == []


def test_what_a_crash_left_is_removed_and_nothing_else(temporary: Path):
    """What another still has, and what has another name, stays."""
    (temporary / "other").mkdir()
    mine = Scratch("book-")
    assert subprocess.run([sys.executable, "-c", CRASHING, str(temporary)], check=False).returncode == 70
    assert len(list(temporary.glob("book-*"))) == 2
    next_one = Scratch("book-")
    assert set(temporary.iterdir()) == {temporary / "other", mine.path, next_one.path}
    mine.close()
    next_one.close()


def test_file_of_that_name_is_left_alone(temporary: Path):
    """As is a link to somewhere else."""
    (temporary / "book-file").touch()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "file").touch()
    (temporary / "book-link").symlink_to(temporary / "elsewhere")
    Scratch("book-").close()
    assert (temporary / "book-file").exists()
    assert (temporary / "book-link" / "file").exists()


def test_without_a_place_for_temporary_files_it_says_so(monkeypatch: pytest.MonkeyPatch):
    """And how to give one."""
    monkeypatch.setattr(tempfile, "tempdir", "/none")
    with pytest.raises(SettingsError, match=r"cannot make a temporary folder: No such file or directory; .* TMPDIR$"):
        Scratch("book-")
