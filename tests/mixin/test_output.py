"""Writing the files of the mixin, and telling those that are not up to date."""

import pytest

from manometer.errors import ConfigError
from manometer.mixin import output, render, shipped
from manometer.mixin.thresholds import Thresholds


def test_what_was_written_is_up_to_date_until_somebody_edits_it(tmp_path):
    """A changed, a missing and a left-over file are each named."""
    root, files = tmp_path / "new", render.files(Thresholds())
    assert set(output.write(files, root)) == {each for each in root.rglob("*") if each.is_file()}
    assert output.stale(files, root) == []
    (root / "alert_rules" / "cache.yaml").write_text("groups: []\n")
    (root / "alert_rules" / "pool.yaml").unlink()
    (root / "docs" / "runbooks" / "Watchdog.md").unlink()
    (root / "dashboards" / "old.json").write_text("{}\n")
    (root / "alert_rules" / "old.yaml").write_text("{}\n")
    assert output.stale(files, root) == [
        "alert_rules/old.yaml is generated no longer; delete it",
        "dashboards/old.json is generated no longer; delete it",
        "alert_rules/cache.yaml differs from what would be written",
        "alert_rules/pool.yaml is missing",
        "docs/runbooks/Watchdog.md is missing",
    ]


def test_a_runbook_that_is_there_stays(tmp_path):
    """Whoever keeps the folder may have written steps of their own into it."""
    page = tmp_path / "docs" / "runbooks" / "PoolSaturated.md"
    page.parent.mkdir(parents=True)
    page.write_text("call the owner")
    assert page not in output.write({}, tmp_path)
    assert page.read_text() == "call the owner"
    assert output.stale({}, tmp_path) == []
    assert (page.parent / "PoolTimeouts.md").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    """Without a traceback, with the path."""
    (tmp_path / "dashboards").write_text("in the way")
    with pytest.raises(ConfigError) as refused:
        output.write(render.files(Thresholds()), tmp_path)
    assert str(refused.value) == f"{tmp_path}/dashboards/overview.json cannot be written: File exists"


def test_what_travels_with_the_package_is_what_the_defaults_render():
    """So that who has no library to render with gets the same files."""
    assert shipped.defaults() == render.files(Thresholds())


def test_files_of_a_wheel_are_taken_before_those_of_a_checkout(tmp_path, monkeypatch):
    """A package without any says so."""
    monkeypatch.setattr(shipped, "_PACKAGED", tmp_path)
    with pytest.raises(ConfigError, match=r"the package has no files in .*/dashboards; install manometer again"):
        shipped.defaults()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "Watchdog.md").write_text("of the wheel")
    assert shipped.runbooks() == {"docs/runbooks/Watchdog.md": "of the wheel"}
