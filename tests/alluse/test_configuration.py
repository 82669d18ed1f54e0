"""Where ALL-USE's settings come from."""

from dataclasses import fields
from pathlib import Path

import pytest

from alluse.configuration import Configuration
from alluse.settings import Settings
from manometer import ConfigError

FILE = """\
port: 1000
programs: {alluse: {workers: 2, csv: [a.csv]}}
profiles: {production: {programs: {alluse: {workers: 32, book_file: book}}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file, and the secret beside it."""
    (tmp_path / "book").write_text("postgresql://ann:hunter2@db/alluse\n")
    path = tmp_path / "alluse.yaml"
    path.write_text(FILE)
    return path


def test_one_file_has_the_settings_of_both(file: Path):
    """The engine's and Manometer's; a profile counts for both."""
    plain, production = Configuration(file), Configuration(file, "production")
    assert plain.engine_settings() == Settings(workers=2, csv=(Path("a.csv"),))
    assert (plain.metrics_settings().port, plain.metrics_settings().service_name) == (1000, "alluse")
    assert production.engine_settings().workers == 32
    assert production.engine_settings().book == "postgresql://ann:hunter2@db/alluse"


def test_the_environment_and_the_command_line_come_after_the_file(file: Path, monkeypatch: pytest.MonkeyPatch):
    """In that order."""
    monkeypatch.setenv("ALLUSE_WORKERS", "3")
    monkeypatch.setenv("ALLUSE_RATE", "50")
    settings = Configuration(file, engine={"workers": 4, "book": None}).engine_settings()
    assert (settings.workers, settings.rate, settings.book) == (4, 50.0, "temporary")


def test_what_the_engine_refuses_is_told_with_its_place(file: Path):
    """The engine's own words, and the line; not of the book, whose URL has a password."""
    file.write_text("programs:\n  alluse:\n    workers: 0\n    book: hunter2\n    rate: 0\n")
    with pytest.raises(ConfigError) as raised:
        Configuration(file).engine_settings()
    told = "; ".join(raised.value.mistakes)
    assert f"workers is 0; it must be at least 1 (workers in file {file}, line 3)" in told
    assert f"book is wrong in file {file}, line 4, and not shown; URL of the book's database" in told
    assert "(rate in file" in told
    assert "hunter2" not in told


def test_every_setting_says_what_it_means():
    """A schema of the file has these lines."""
    for each in fields(Settings):
        assert each.metadata["help"].endswith("."), each.name
