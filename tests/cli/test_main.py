"""The command: exit statuses, and one line for a user's mistake."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from manometer import cli
from manometer.cli import main, mixin
from manometer.errors import ConfigError
from waiting import DEADLINE


def _manometer(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "manometer", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        **options,
    )


def test_the_module_is_the_command():
    """`python -m manometer` runs it, and its version is the distribution's."""
    done = _manometer("--version")
    assert (done.returncode, done.stdout) == (0, f"manometer {version('manometer')}\n")


def test_help_lists_the_commands(capsys):
    """Each with a line on what it does."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for command in ("top ", "serve ", "mixin "):
        assert command in out


@pytest.mark.parametrize("arguments", [[], ["tops"], ["top", "--count", "0"], ["top", "--interval", "x"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    """argparse's own status, and usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: manometer" in capsys.readouterr().err


def test_a_user_s_mistake_is_one_line():
    """An address that is none: status 2 and no traceback."""
    done = _manometer("top", "ftp://127.0.0.1")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "manometer: 'ftp://127.0.0.1' is no address of a program; write it as http://127.0.0.1:9464\n"
    )


def test_an_error_of_ours_is_one_line(monkeypatch, capsys):
    """Whatever command raises it."""

    def run(_):
        raise ConfigError("no such folder; make it")

    monkeypatch.setattr(mixin, "run", run)
    assert main(["mixin"]) == 2
    assert capsys.readouterr().err == "manometer: no such folder; make it\n"


@pytest.mark.parametrize(("missing", "status"), [("grafana_foundation_sdk.builders", 2), ("manometer.nothing", None)])
def test_a_missing_library_names_the_extra(monkeypatch, capsys, missing, status):
    """The extra has the command's name; a module of our own that is missing is a fault, and shows as one."""

    def run(_):
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr(mixin, "run", run)
    if status is None:
        with pytest.raises(ModuleNotFoundError):
            main(["mixin"])
    else:
        assert main(["mixin"]) == status
        error = capsys.readouterr().err
        assert error == "manometer: the mixin command needs an extra: pip install 'manometer[mixin]'\n"


def test_a_reader_that_has_had_enough_is_no_error():
    """Such as `head`: no traceback, neither from the command nor from the interpreter's end."""
    program = """
import sys
from manometer import cli
from manometer.cli import mixin

def run(_):
    while True:
        print("line")

mixin.run = run
sys.exit(cli.main(["mixin"]))
"""
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert os.read(read, 1) == b"l"
    os.close(read)
    _, error = process.communicate(timeout=DEADLINE)
    assert (process.returncode, error) == (0, b"")


def test_nothing_but_main_is_public():
    """Commands are reached through it."""
    assert cli.__all__ == ["main"]


def test_ctrl_c_amid_the_start_is_no_traceback(monkeypatch, capsys):
    """Before a command is there to end well, the status is the one that a shell gives."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("argparse.ArgumentParser.parse_args", interrupted)
    assert main(["top"]) == 130
    assert capsys.readouterr().err == ""
