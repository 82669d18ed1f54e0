"""The installer of the tests' servers knows what is missing, and installs what it can."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def servers():
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("servers", Path(__file__).parent / "servers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_programs_libraries_and_files_are_found(servers, tmp_path):
    """On the path, where the linker looks, and by a pattern."""
    (tmp_path / "initdb").touch()
    assert [servers.found(each) for each in ("sh", "libc.so", f"{tmp_path}/*db")] == [True] * 3
    assert [servers.found(each) for each in ("no-such", "libno-such9.9.so", f"{tmp_path}/*x")] == [False] * 3


def test_the_collectors_python_is_among_the_packages(servers):
    """Debian's python3 does not bring the library that the collector is linked against."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pytest.importorskip("rotel", reason="rotel, the OTLP collector of the tests, cannot be installed on this Python")
    program = Path(importlib.util.find_spec("rotel").origin).parent / "rotel-agent"
    if f"libpython{version}.so".encode() in program.read_bytes():
        assert servers.PACKAGES[f"libpython{version}"] == (f"libpython{version}.so",)


def test_pip_brings_what_is_missing_once_and_builds_where_there_is_a_compiler(servers, monkeypatch, tmp_path, capsys):
    """Of the pinned versions, and beside the Python that runs the tests."""
    calls = []

    def run(command, **_):
        calls.append(command[command.index("-c") + 1 :])
        return subprocess.CompletedProcess(command, 1, "", "no network")

    monkeypatch.setattr(servers.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(servers.subprocess, "run", run)
    monkeypatch.setattr(servers.shutil, "which", lambda _: None)
    servers.fetch()
    monkeypatch.setattr(servers.shutil, "which", lambda name: name)
    for fetched in servers.FETCHED:
        (tmp_path / fetched).touch()
    servers.fetch()
    (tmp_path / "uwsgi").touch()
    servers.fetch()
    pinned = str(Path(__file__).parents[1] / "constraints.txt")
    assert calls == [[pinned, "celery", "kubernetes-validate"], [pinned, "uwsgi"]]
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines() if ": " in line] == [
        "missing: uwsgi, which pip builds where there is a C compiler (apt-get install gcc)",
        "installing celery, kubernetes-validate by pip",
        "could not install celery, kubernetes-validate:",
        "installing uwsgi by pip",
        "could not install uwsgi:",
    ]
