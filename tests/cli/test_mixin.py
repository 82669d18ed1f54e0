"""`manometer mixin`: which files it writes, and what it tells of those that are not up to date."""

import sys
from pathlib import Path

import pytest

from manometer.cli import main


def test_it_writes_and_then_finds_everything_up_to_date(tmp_path, capsys):
    """Each written path is printed."""
    assert main(["mixin", "--out", str(tmp_path)]) == 0
    written = {str(each) for each in tmp_path.rglob("*") if each.is_file()}
    assert str(tmp_path / "dashboards" / "overview.json") in written
    told = capsys.readouterr()
    assert set(told.out.splitlines()) == written
    assert "give a file with `jobs: [...]`" in told.err
    assert "`runbooks: URL` by --config" in told.err
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_configuration_is_written_and_checked_with_its_own_values(tmp_path, monkeypatch, capsys):
    """Into the folder where one is, unless another is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mixin.yaml").write_text("cache: {hit_ratio: 0.83}\n")
    assert main(["mixin", "--config", "mixin.yaml"]) == 0
    assert capsys.readouterr().err == ""
    assert "< 0.83" in (tmp_path / "alert_rules" / "cache.yaml").read_text()
    assert main(["mixin", "--config", "mixin.yaml", "--check"]) == 0
    assert main(["mixin", "--check"]) == 1
    told = capsys.readouterr().err
    assert "alert_rules/cache.yaml differs from what would be written\n" in told
    assert told.endswith("write all of them anew: manometer mixin\n")


def test_a_check_fails_where_a_file_is_out_of_date(tmp_path, capsys):
    """And says which one and what to do, and changes nothing."""
    main(["mixin", "--out", str(tmp_path)])
    (tmp_path / "alert_rules" / "pool.yaml").write_text("old")
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 1
    told = capsys.readouterr().err
    assert "alert_rules/pool.yaml differs" in told
    assert told.endswith(f"write all of them anew: manometer mixin --out {tmp_path}\n")
    assert (tmp_path / "alert_rules" / "pool.yaml").read_text() == "old"


def test_without_the_extra_the_defaults_are_copied(tmp_path, monkeypatch, capsys):
    """Thresholds of one's own need it."""
    assert main(["mixin", "--out", str(tmp_path / "rendered")]) == 0
    rendered = capsys.readouterr().out
    monkeypatch.delitem(sys.modules, "manometer.mixin.render", raising=False)
    monkeypatch.delattr("manometer.mixin.render", raising=False)
    monkeypatch.delitem(sys.modules, "manometer.mixin.yaml", raising=False)
    monkeypatch.delattr("manometer.mixin.yaml", raising=False)
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert main(["mixin", "--out", str(tmp_path / "copied")]) == 0
    copied = capsys.readouterr().out
    assert sorted(copied.splitlines()) == sorted(rendered.replace("rendered", "copied").splitlines())
    assert main(["mixin", "--out", str(tmp_path / "rendered"), "--check"]) == 0
    assert main(["mixin", "--config", "any.yaml"]) == 2
    assert "pip install 'manometer[mixin]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "part"), [("cach: {}", "unknown key 'cach'"), ("cache: {hit_ratio: 9}", "from 0 to 1")]
)
def test_a_wrong_configuration_is_one_line_and_writes_nothing(tmp_path, capsys, text, part):
    """Exit 2, no traceback."""
    config = tmp_path / "mixin.yaml"
    config.write_text(text)
    assert main(["mixin", "--out", str(tmp_path / "out"), "--config", str(config)]) == 2
    assert part in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_folder_that_cannot_be_used_is_one_line(tmp_path, capsys, arguments):
    """A name that is too long fails where a closed folder does, for root too."""
    folder = tmp_path / ("x" * 300)
    assert main(["mixin", "--out", str(folder), *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"manometer: {folder}")
    assert told.endswith(": File name too long\n")
    assert told.count("\n") == 1


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, capsys):
    """Such as a folder of that name."""
    main(["mixin", "--out", str(tmp_path)])
    pool = tmp_path / "alert_rules" / "pool.yaml"
    pool.unlink()
    pool.mkdir()
    capsys.readouterr()
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 2
    assert capsys.readouterr().err == f"manometer: {pool} cannot be read: Is a directory\n"


@pytest.mark.parametrize(
    ("form", "some"),
    [
        ("operator", "operator/rules-cache.yaml"),
        ("jsonnet", "mixin.libsonnet"),
        ("prometheus", "alert_rules/cache.yaml"),
    ],
)
def test_each_format_is_written_and_checked(tmp_path, capsys, form, some):
    """And what is no longer up to date, or left over, is named with the command that mends it."""
    given = ["mixin", "--out", str(tmp_path), "--format", form]
    assert main(given) == 0
    (tmp_path / "notes.libsonnet").write_text("of somebody else")
    assert main([*given, "--check"]) == 0
    (tmp_path / some).write_text("old")
    capsys.readouterr()
    assert main([*given, "--check"]) == 1
    told = capsys.readouterr().err
    suffix = "" if form == "prometheus" else f" --format {form}"
    assert told == (
        f"{some} differs from what would be written\n"
        f"write all of them anew: manometer mixin --out {tmp_path}{suffix}\n"
    )


def test_the_formats_are_those_that_there_are():
    """The command knows their names without what writes them, which is slow to import."""
    from manometer.cli import mixin
    from manometer.mixin.formats import FORMATS

    assert tuple(FORMATS) == mixin._FORMATS


def test_another_format_needs_the_extra(tmp_path, monkeypatch, capsys):
    """It is made of what was rendered."""
    for name in ("render", "yaml"):
        monkeypatch.delitem(sys.modules, f"manometer.mixin.{name}", raising=False)
        monkeypatch.delattr(f"manometer.mixin.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert main(["mixin", "--out", str(tmp_path), "--format", "operator"]) == 2
    assert "pip install 'manometer[mixin]'" in capsys.readouterr().err


def test_services_are_written_and_checked_with_the_rest(tmp_path, capsys):
    """The command that mends names their files too."""
    samples = Path(__file__).parents[2] / "docs" / "samples" / "slo"
    given = ["mixin", "--out", str(tmp_path)]
    for name in ("shop", "stock"):
        given += ["--service", str(samples / f"{name}.yaml")]
    assert main(given) == 0
    assert "service: shop" in (tmp_path / "alert_rules" / "slo.yaml").read_text()
    assert main([*given, "--check"]) == 0
    (tmp_path / "alertmanager" / "inhibit_rules.yaml").write_text("old")
    capsys.readouterr()
    assert main([*given, "--check"]) == 1
    told = capsys.readouterr().err
    assert "alertmanager/inhibit_rules.yaml differs from what would be written\n" in told
    assert told.endswith(f"write all of them anew: manometer {' '.join(given)}\n")


@pytest.mark.parametrize("form", ["prometheus", "operator"])
def test_what_a_service_left_behind_is_told_when_it_is_given_no_longer(tmp_path, capsys, form):
    """By a run that writes and by one that checks: Prometheus and Alertmanager go on loading it."""
    service = Path(__file__).parents[2] / "docs" / "samples" / "slo" / "shop.yaml"
    given = ["mixin", "--out", str(tmp_path), "--format", form]
    assert main([*given, "--service", str(service)]) == 0
    assert "generated no longer" not in capsys.readouterr().err
    rules = {"prometheus": "alert_rules/slo.yaml", "operator": "operator/rules-slo.yaml"}[form]
    left = [f"{name} is generated no longer; delete it" for name in (rules, "alertmanager/inhibit_rules.yaml")]
    assert main(given) == 0
    told = capsys.readouterr()
    assert [line for line in told.err.splitlines() if "generated no longer" in line] == sorted(left)
    assert (tmp_path / rules).exists()
    assert main([*given, "--check"]) == 1
    assert capsys.readouterr().err.splitlines()[:-1] == sorted(left)


def test_monitors_of_jobs_that_are_named_no_longer_are_told(tmp_path, capsys):
    """Whoever applies the folder goes on scraping those jobs; a run of another format does not look at them."""
    config = tmp_path / "mixin.yaml"
    config.write_text("jobs: [shop]\n")
    given = ["mixin", "--out", str(tmp_path), "--format", "operator"]
    assert main([*given, "--config", str(config)]) == 0
    capsys.readouterr()
    left = [f"operator/scrapes/{name}-monitor.yaml is generated no longer; delete it" for name in ("pod", "service")]
    assert main([*given, "--check"]) == 1
    assert [line for line in capsys.readouterr().err.splitlines() if "scrapes" in line] == left
    assert main(given) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if "scrapes" in line] == left
    assert main(["mixin", "--out", str(tmp_path)]) == 0
    assert "scrapes" not in capsys.readouterr().err


def test_inhibitions_of_ones_own_are_not_taken_for_generated_ones(tmp_path, capsys):
    """The folder of Alertmanager's files is its user's."""
    main(["mixin", "--out", str(tmp_path)])
    (tmp_path / "alertmanager").mkdir()
    (tmp_path / "alertmanager" / "inhibit_rules.yaml").write_text("inhibit_rules: []\n")
    capsys.readouterr()
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_wrong_service_is_one_line_with_the_place_and_what_was_meant(tmp_path, capsys):
    """Exit 2, and nothing is written."""
    path = tmp_path / "shop.yaml"
    path.write_text("service: shop\nobjectivs: {}\n")
    assert main(["mixin", "--out", str(tmp_path / "out"), "--service", str(path)]) == 2
    told = capsys.readouterr().err
    assert told == f"manometer: unknown key 'objectivs' in file {path}, line 2; did you mean objectives?\n"
    assert not (tmp_path / "out").exists()
