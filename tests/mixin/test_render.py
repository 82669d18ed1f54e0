"""What the files hold: the committed ones are what the defaults render."""

from pathlib import Path

import pytest

from manometer.errors import ConfigError
from manometer.mixin import output, render, shipped, yaml
from manometer.mixin.thresholds import Thresholds

ROOT = Path(__file__).parents[2]


def test_the_committed_files_are_what_the_defaults_render():
    """`make mixin` after a change, and commit what it wrote."""
    assert output.stale(render.files(Thresholds()), ROOT) == []


def test_rendering_twice_gives_the_same_bytes():
    """No order that depends on the run, a line's end at the end."""
    assert render.files(Thresholds()) == render.files(Thresholds())
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in render.files(Thresholds()).values())


def test_an_alert_without_its_runbook_is_refused(monkeypatch):
    """A page must exist before somebody is sent to it."""
    pages = {name: text for name, text in shipped.runbooks().items() if "CacheHitRatioLow" not in name}
    monkeypatch.setattr(render, "runbooks", lambda: pages)
    with pytest.raises(ConfigError, match=r"write docs/runbooks/CacheHitRatioLow\.md"):
        render.files(Thresholds())


def test_a_configuration_is_read_from_yaml(tmp_path):
    """The defaults without a file; errors of reading and of form name the file."""
    path = tmp_path / "mixin.yaml"
    path.write_text("cache: {hit_ratio: 0.8}\n")
    assert render.configuration(path).cache.hit_ratio == 0.8
    assert render.configuration(None) == Thresholds()
    path.write_text("cache: {hit_ratio: 0.8\n")
    with pytest.raises(ConfigError, match=r"the file of thresholds .*mixin\.yaml is no YAML: .*, line 2"):
        render.configuration(path)
    with pytest.raises(ConfigError, match=r"cannot read the file of thresholds .*none\.yaml: No such file"):
        render.configuration(tmp_path / "none.yaml")


def test_a_configuration_that_says_a_thing_twice_is_refused(tmp_path):
    """The first would be lost in silence. What else is wrong is told with the file's name too."""
    path = tmp_path / "mixin.yaml"
    path.write_text("cache:\n  hit_ratio: 0.8\n  floor: 2\n  hit_ratio: 0.9\n")
    with pytest.raises(ConfigError, match=rf"^cache\.hit_ratio is there 2 times in file {path}: lines 2, 4$"):
        render.configuration(path)
    path.write_text("cach: {}\n")
    with pytest.raises(ConfigError, match=rf"^in file {path}: unknown key 'cach'; did you mean cache\?$"):
        render.configuration(path)


def test_an_expression_of_several_lines_stays_readable():
    """As a block, the way one would write it."""
    assert yaml.dump({"expr": "a\nand b", "for": "1m"}) == "expr: |-\n  a\n  and b\nfor: 1m\n"


def test_texts_are_written_as_they_are():
    """Letters of any alphabet, and a part that stands in two places in both."""
    assert yaml.dump({"summary": "Zürich", "a": {"b": ["c"]}}) == "summary: Zürich\na:\n  b:\n    - c\n"
    shared = {"severity": "info"}
    assert yaml.dump({"a": shared, "b": shared}) == "a:\n  severity: info\nb:\n  severity: info\n"
