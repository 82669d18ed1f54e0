"""`manometer mixin`."""

import pytest

from manometer.cli import main


def test_it_writes_and_then_finds_everything_up_to_date(tmp_path, capsys):
    """Each written path is printed."""
    assert main(["mixin", "--out", str(tmp_path)]) == 0
    assert str(tmp_path / "dashboards" / "overview.json") in capsys.readouterr().out
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 0


def test_a_check_fails_where_a_file_is_out_of_date(tmp_path, capsys):
    """And says which one and what to do, and changes nothing."""
    main(["mixin", "--out", str(tmp_path)])
    (tmp_path / "alert_rules" / "pool.yaml").write_text("old")
    assert main(["mixin", "--out", str(tmp_path), "--check"]) == 1
    assert "alert_rules/pool.yaml differs" in capsys.readouterr().err
    assert (tmp_path / "alert_rules" / "pool.yaml").read_text() == "old"


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
