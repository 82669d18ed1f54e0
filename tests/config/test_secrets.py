"""Secrets: where they may come from, and that nobody sees them."""

import os
from dataclasses import dataclass, field

import pytest

from manometer.config import Settings, SettingsError, load

SECRET = "authorization=Basic%20aHVudGVyMjpodW50ZXIy"


@pytest.fixture
def secret(tmp_path):
    """A file that holds the secret, with the line break that editors leave."""
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


def _mistake(*arguments, **given):
    with pytest.raises(SettingsError) as raised:
        Settings.load(*arguments, **given)
    return str(raised.value)


def test_a_variable_names_the_file(secret):
    """As Docker and Kubernetes mount it."""
    assert Settings.load(environ={"MANOMETER_OTLP_HEADERS_FILE": f" {secret} "}).otlp_headers == SECRET


def test_a_settings_file_names_the_file_beside_it(tmp_path, secret, monkeypatch):
    """A relative path begins where the settings file is, wherever the program was started."""
    monkeypatch.chdir("/")
    path = tmp_path / "shop.yaml"
    path.write_text("otlp_headers_file: token")
    assert Settings.load(path, {}).otlp_headers == SECRET


def test_only_the_file_that_counts_is_read(tmp_path, secret):
    """What another source has in its place, or another profile, need not be there."""
    path = tmp_path / "shop.yaml"
    path.write_text("otlp_headers_file: none\nprofiles: {production: {otlp_headers_file: nothing}}")
    assert Settings.load(path, {"MANOMETER_OTLP_HEADERS_FILE": str(secret)}).otlp_headers == SECRET
    assert Settings.load(path, {"MANOMETER_OTLP_HEADERS": "a=b"}).otlp_headers == "a=b"
    assert Settings.load(path, {}, otlp_headers=None).otlp_headers is None
    assert "nothing" in _mistake(path, {}, profile="production")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "and has nothing in it"),
        (b" \n", "and has nothing in it"),
        (b"\xff\xfe", "cannot be read: it is no text in UTF-8"),
        (b"x" * 70_000, "and has more than 65,536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content, reason):
    """With its path, and who named it."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    told = _mistake(None, {"MANOMETER_OTLP_HEADERS_FILE": str(path)})
    assert told.startswith(f"otlp_headers_file is {path} in variable MANOMETER_OTLP_HEADERS_FILE, ")
    assert told.endswith(reason)


def test_a_secret_and_its_file_in_one_place_are_refused(tmp_path):
    """Nobody could tell which is meant."""
    environ = {"MANOMETER_OTLP_HEADERS_FILE": "/token", "MANOMETER_OTLP_HEADERS": "a=b"}
    assert _mistake(None, environ) == (
        "MANOMETER_OTLP_HEADERS and MANOMETER_OTLP_HEADERS_FILE are both in the environment; keep one of them"
    )
    path = tmp_path / "shop.yaml"
    path.write_text("otlp_headers: a=b\notlp_headers_file: token")
    assert _mistake(path, {}) == (
        f"otlp_headers and otlp_headers_file are both in file {path}, line 2; keep one of them"
    )


def test_the_path_has_to_be_a_text(tmp_path):
    """A path that is none is named by line."""
    path = tmp_path / "shop.yaml"
    path.write_text("otlp_headers_file: 5")
    assert _mistake(path, {}) == (
        f"otlp_headers_file is no path in file {path}, line 1; it takes the path of a file that holds otlp_headers"
    )


def test_only_a_secret_has_a_file():
    """Where another setting's value is, is a plain variable."""
    assert _mistake(None, {"MANOMETER_PORT_FILE": "/port"}).startswith("unknown setting 'MANOMETER_PORT_FILE'")


@pytest.mark.parametrize("wrong", ["hunter2", "a=b,hunter2", "hunter2 x=1", "a=hunter2\x07", "=hunter2", "é=hunter2"])
def test_a_wrong_secret_is_not_shown(tmp_path, wrong):
    """From no source: the error says which setting, where, and what it takes."""
    path = tmp_path / "shop.yaml"
    path.write_text(f"otlp_headers: {ascii(wrong)[1:-1] if wrong.isprintable() else 'hunter2'}")
    held = tmp_path / "token"
    held.write_text(wrong)
    takes = "and not shown; it takes HTTP headers as name=value with commas between them"
    for told, where in [
        (_mistake(path, {}), f"file {path}, line 1"),
        (_mistake(None, {"MANOMETER_OTLP_HEADERS": wrong}), "variable MANOMETER_OTLP_HEADERS"),
        (_mistake(None, {"MANOMETER_OTLP_HEADERS_FILE": str(held)}), "variable MANOMETER_OTLP_HEADERS_FILE"),
        (_mistake(None, {}, options={"otlp_headers": wrong}), "the command line"),
        (_mistake(None, {}, otlp_headers=wrong), "the call"),
    ]:
        assert told == f"otlp_headers is wrong in {where}, {takes}"
    with pytest.raises(SettingsError) as raised:
        Settings(otlp_headers=wrong)
    assert "hunter2" not in str(raised.value)


def test_the_representation_shows_no_secret():
    """Neither one that is declared nor one in a URL; the rest can be read."""
    told = repr(Settings(otlp_headers=SECRET, otlp_endpoint="https://ann:hunter2@otel:4318", port=1))
    assert told.startswith("Settings(host=127.0.0.1, port=1, ")
    assert "otlp_endpoint=https://***@otel:4318, otlp_headers=***" in told
    assert str(Settings(otlp_headers=SECRET)) == repr(Settings(otlp_headers=SECRET))


def test_an_unset_secret_is_told_so():
    """It is no secret that there is none."""
    assert "otlp_headers=unset" in repr(Settings())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_told(secret):
    """With the system's reason."""
    secret.chmod(0)
    assert _mistake(None, {"MANOMETER_OTLP_HEADERS_FILE": str(secret)}).endswith("cannot be read: Permission denied")


def test_a_setting_that_has_such_a_name_itself_is_that_setting():
    """A program may have `key`, which is secret, and `key_file` beside it."""

    @dataclass
    class Till:
        key: str = field(default="none", metadata={"secret": True})
        key_file: int = 1

    environ = {"TILL_KEY": "hunter2", "TILL_KEY_FILE": "5"}
    assert load(Till, "till", environ=environ).settings == Till("hunter2", 5)
