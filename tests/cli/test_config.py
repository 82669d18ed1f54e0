"""`manometer config`: checks a file, shows the settings with their sources, prints the schema."""

import json
import re
import sys
from dataclasses import fields

import pytest

from manometer import Settings
from manometer.cli import main

FILE = """\
port: 1000
otlp_endpoint: https://ann:hunter2@otel:4318
profiles:
  production:
    otlp_headers_file: token
    programs:
      shop: {workers: 8, prices: [a.csv, b.csv]}
"""
SHOP = """
from dataclasses import dataclass, field
from pathlib import Path

@dataclass
class Settings:
    workers: int = 4
    prices: tuple[Path, ...] = ()
    key: str = field(default="none", metadata={"secret": True})

    def __post_init__(self):
        if self.workers > 8:
            raise ValueError(f"workers is {self.workers}; the shop is small")

other = 5
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A settings file, with what it names beside it, and a program that is not installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "token").write_text("authorization=hunter2")
    (tmp_path / "the_shop.py").write_text(SHOP)
    path = tmp_path / "shop.yaml"
    path.write_text(FILE)
    yield path
    sys.modules.pop("the_shop", None)


def _told(capsys, *arguments):
    status = main(["config", *map(str, arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_a_right_file_passes(file, capsys):
    """What is not looked into is named."""
    assert _told(capsys, "check", file) == (
        0,
        f"{file} is right\nnot checked: the settings of shop; add --program shop=MODULE:CLASS\n",
        "",
    )
    assert _told(capsys, "check", file, "--program", "shop=the_shop:Settings") == (0, f"{file} is right\n", "")


def test_every_mistake_of_a_file_is_told(file, capsys):
    """With status 2: by name, line and nearest match; Manometer's and the program's."""
    file.write_text("prot: 1\nport: x\nprograms: {shop: {workers: 9, wrokers: 1}}\nport: 2\n")
    assert _told(capsys, "check", file, "--program", "shop=the_shop:Settings") == (
        2,
        "",
        f"manometer: unknown setting 'prot' in file {file}, line 1; did you mean port?\n"
        f"manometer: port stands more than once in file {file}, lines 2 and 4; keep one of them\n"
        f"manometer: port is 'x' in file {file}, line 2; it takes a whole number from 0 to 65535\n"
        f"manometer: workers is 9; the shop is small (workers in file {file}, line 3)\n"
        f"manometer: unknown setting 'wrokers' in file {file}, line 3; did you mean workers?\n",
    )


@pytest.mark.parametrize("wrong", ["localhost", "127.0.0.1:99999"])
def test_an_address_that_cannot_be_listened_on_is_told(file, capsys, wrong):
    """Before the deployment, and not at the start."""
    file.write_text(f"listen_addresses: {wrong}\n")
    status, out, told = _told(capsys, "check", file)
    assert (status, out) == (2, "")
    assert told.startswith(f"manometer: listen_addresses is '{wrong}' in file {file}, line 1; it takes addresses")


def test_a_file_that_is_no_yaml_or_not_there_is_told(file, capsys):
    """In one line."""
    file.write_text("port: [")
    status, out, err = _told(capsys, "check", file)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"manometer: the settings file {file} is no YAML: ")
    assert _told(capsys, "check", "none.yaml") == (
        2,
        "",
        "manometer: cannot read the settings file none.yaml: No such file or directory\n",
    )


def test_no_secret_s_file_need_be_there_for_a_check(file, capsys):
    """Where files are checked before a deployment, there is none."""
    file.with_name("token").unlink()
    assert _told(capsys, "check", file)[0] == 0


def test_each_setting_is_shown_with_its_source(file, capsys, monkeypatch):
    """A line of the file and its profile, a variable, or the default; no secret."""
    monkeypatch.setenv("MANOMETER_HEALTH_INTERVAL", "5")
    status, out, _ = _told(capsys, "show", "--config", file, "--profile", "production")
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert status == 0
    assert list(rows) == [each.name for each in fields(Settings)]
    told = {name: tuple(row.split(maxsplit=1)) for name, row in rows.items()}
    assert told["host"] == ("127.0.0.1", "default")
    assert told["port"] == ("1000", f"file {file}, line 1")
    assert told["logs"] == ("false", "default")
    assert told["allowed_hosts"] == ("unset", "default")
    assert told["health_interval"] == ("5.0", "variable MANOMETER_HEALTH_INTERVAL")
    assert told["otlp_endpoint"] == ("https://***@otel:4318", f"file {file}, line 2")
    assert told["otlp_headers"] == ("***", f"file {file}, line 5, profile production")


def test_settings_of_a_program_are_shown_too(file, capsys):
    """By its name; a secret's default is none."""
    arguments = ("--config", file, "--profile", "production", "--program", "shop=the_shop:Settings")
    _, out, _ = _told(capsys, "show", *arguments)
    place = f"file {file}, line 7, profile production"
    assert [line.split(maxsplit=2) for line in out.splitlines() if line.startswith("shop.")][::2] == [
        ["shop.workers", "8", place],
        ["shop.key", "none", "default"],
    ]
    assert re.search(rf"\[a\.csv, b\.csv\] +{re.escape(place)}", out)


def test_settings_are_shown_as_json(file, capsys, monkeypatch):
    """For programs: the values in their types, the sources in their parts."""
    monkeypatch.setenv("MANOMETER_CONFIG_FILE", str(file))
    monkeypatch.setenv("MANOMETER_PROFILE", "production")
    monkeypatch.setenv("MANOMETER_LOGS", "true")
    _, out, _ = _told(capsys, "show", "--format", "json", "--program", "shop=the_shop:Settings")
    told = {row["name"]: (row["value"], row["source"]) for row in json.loads(out)}
    assert told["port"] == (1000, {"kind": "file", "name": str(file), "line": 1})
    assert told["logs"] == (True, {"kind": "variable", "name": "MANOMETER_LOGS"})
    assert told["otlp_endpoint"][0] == "https://***@otel:4318"
    assert told["otlp_headers"] == ("***", {"kind": "file", "name": str(file), "line": 5, "profile": "production"})
    assert told["allowed_hosts"] == (None, {"kind": "default"})
    assert told["shop.prices"][0] == ["a.csv", "b.csv"]
    assert told["shop.key"] == ("none", {"kind": "default"})


def test_all_that_is_wrong_is_told_in_the_place_of_the_settings(file, capsys, monkeypatch):
    """Of all sources, and each once."""
    monkeypatch.setenv("MANOMETER_PROT", "1")
    monkeypatch.setenv("SHOP_WORKERS", "x")
    status, out, err = _told(
        capsys, "show", "--config", file, "--profile", "prod", "--program", "shop=the_shop:Settings"
    )
    assert (status, out) == (2, "")
    assert err == (
        f"manometer: unknown profile 'prod' in file {file}; did you mean production?\n"
        "manometer: unknown setting 'MANOMETER_PROT' in the environment; did you mean MANOMETER_PORT?\n"
        "manometer: workers is 'x' in variable SHOP_WORKERS; it takes a whole number\n"
    )


SECRET = "hunter2ttttttttttttttt"


@pytest.mark.parametrize("value", [SECRET, f"authorization=Basic {SECRET}"])
@pytest.mark.parametrize("place", ["file", "profile", "variable", "held"])
@pytest.mark.parametrize("part", ["check", "show", "json"])
def test_no_part_tells_a_secret(file, capsys, monkeypatch, value, place, part):
    """Whether it is right or wrong, and wherever it stands."""
    file.with_name("token").write_text(value)
    lines = {
        "file": {"otlp_headers": value, "profiles": {"production": {}}},
        "profile": {"profiles": {"production": {"otlp_headers": value}}},
        "held": {"otlp_headers_file": "token", "profiles": {"production": {}}},
        "variable": {"profiles": {"production": {}}},
    }
    file.write_text(json.dumps(lines[place]))
    if place == "variable":
        monkeypatch.setenv("MANOMETER_OTLP_HEADERS", value)
    show = ["show", "--config", file, "--profile", "production"]
    told = _told(capsys, *{"check": ["check", file], "show": show, "json": [*show, "--format", "json"]}[part])
    assert SECRET[:8] not in "".join(told[1:])


def test_the_schema_is_printed(file, capsys):
    """With the program's part where that is named."""
    _, out, _ = _told(capsys, "schema")
    assert json.loads(out)["properties"]["port"]["maximum"] == 65535
    _, out, _ = _told(capsys, "schema", "--program", "shop=the_shop:Settings")
    assert json.loads(out)["properties"]["programs"]["properties"]["shop"]["properties"]["workers"]["default"] == 4


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("shop", "--program is 'shop'; write it as shop=shop.settings:Settings"),
        ("shop=the_shop", "--program is 'shop=the_shop'; write it as shop=shop.settings:Settings"),
        ("shop=no_shop:Settings", "--program names no_shop:Settings, which is not there: No module named 'no_shop'"),
        ("shop=the_shop:Setings", "--program names the_shop:Setings, which is not there: module 'the_shop' has no "),
        ("shop=the_shop:other", "--program names the_shop:other, which is no dataclass"),
    ],
)
def test_a_program_that_cannot_be_had_is_told(file, capsys, program, reason):
    """In one line."""
    status, _, err = _told(capsys, "schema", "--program", program)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(f"manometer: {reason}")
