"""Writing the files, and telling those that are not up to date."""

from pathlib import Path

import pytest

from manometer.errors import ConfigError
from manometer.mixin import render, yaml
from manometer.mixin.thresholds import Thresholds

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_what_the_defaults_render():
    """`make mixin` after a change, and commit what it wrote."""
    assert render.stale(Thresholds(), ROOT) == []


def test_rendering_twice_gives_the_same_bytes(tmp_path):
    """No order that depends on the run, a line's end at the end."""
    assert render.files(Thresholds(), tmp_path) == render.files(Thresholds(), tmp_path)
    assert all(
        text.endswith("\n") and not text.endswith("\n\n") for text in render.files(Thresholds(), ROOT).values()
    )


def test_what_was_written_is_up_to_date_until_somebody_edits_it(tmp_path):
    """A changed, a missing and a left-over file are each named."""
    root = tmp_path / "new"
    assert set(render.write(Thresholds(), root)) == {each for each in root.rglob("*") if each.is_file()}
    assert render.stale(Thresholds(), root) == []
    (root / "alert_rules" / "cache.yaml").write_text("groups: []\n")
    (root / "alert_rules" / "pool.yaml").unlink()
    (root / "dashboards" / "old.json").write_text("{}\n")
    (root / "alert_rules" / "old.yaml").write_text("{}\n")
    assert render.stale(Thresholds(), root) == [
        "alert_rules/old.yaml is generated no longer; delete it",
        "dashboards/old.json is generated no longer; delete it",
        "alert_rules/cache.yaml differs from what would be written",
        "alert_rules/pool.yaml is missing",
    ]


def test_an_alert_without_its_runbook_is_refused_where_runbooks_are_kept(tmp_path):
    """A page must exist before somebody is sent to it."""
    (tmp_path / "docs" / "runbooks").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"write docs/runbooks/CacheHitRatioLow\.md"):
        render.files(Thresholds(), tmp_path)


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    """Without a traceback, with the path."""
    (tmp_path / "dashboards").write_text("in the way")
    with pytest.raises(ConfigError) as refused:
        render.write(Thresholds(), tmp_path)
    assert str(refused.value) == f"{tmp_path}/dashboards/overview.json cannot be written: File exists"


def test_a_configuration_is_read_from_yaml(tmp_path):
    """The defaults without a file; errors of reading and of form name the file."""
    path = tmp_path / "mixin.yaml"
    path.write_text("cache: {hit_ratio: 0.8}\n")
    assert render.configuration(path).cache.hit_ratio == 0.8
    assert render.configuration(None) == Thresholds()
    path.write_text("cache: {hit_ratio: 0.8\n")
    with pytest.raises(ConfigError, match=r"mixin\.yaml is no YAML: .*\n?.*line"):
        render.configuration(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        render.configuration(tmp_path / "none.yaml")


def test_an_expression_of_several_lines_stays_readable():
    """As a block, the way one would write it."""
    assert yaml.dump({"expr": "a\nand b", "for": "1m"}) == "expr: |-\n  a\n  and b\nfor: 1m\n"


def test_texts_are_written_as_they_are():
    """Letters of any alphabet, and a part that stands in two places in both."""
    assert yaml.dump({"summary": "Zürich", "a": {"b": ["c"]}}) == "summary: Zürich\na:\n  b:\n    - c\n"
    shared = {"severity": "info"}
    assert yaml.dump({"a": shared, "b": shared}) == "a:\n  severity: info\nb:\n  severity: info\n"
