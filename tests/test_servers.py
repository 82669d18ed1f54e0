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


def test_what_pip_builds_is_built_once_and_where_there_is_a_compiler(servers, monkeypatch, tmp_path, capsys):
    """Of the pinned version, and beside the Python that runs the tests."""
    calls = []

    def run(command, **_):
        calls.append(command[1:3] + command[-3:])
        return subprocess.CompletedProcess(command, 1, "", "no network")

    monkeypatch.setattr(servers.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(servers.subprocess, "run", run)
    monkeypatch.setattr(servers.shutil, "which", lambda _: None)
    servers.build()
    assert calls == []
    monkeypatch.setattr(servers.shutil, "which", lambda name: name)
    servers.build()
    (tmp_path / "uwsgi").touch()
    servers.build()
    assert calls == [["-m", "pip", "-c", str(Path(__file__).parents[1] / "constraints.txt"), "uwsgi"]]
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()[:-1]] == [
        "missing: uwsgi, which pip builds where there is a C compiler (apt-get install gcc)",
        "building uwsgi",
        "could not build uwsgi:",
    ]


def test_a_package_that_there_is_not_keeps_no_other_out(servers, monkeypatch):
    """All at once first; then, with the lists brought up to date, one by one."""
    called = []
    monkeypatch.setattr(servers, "PACKAGES", {"one": ("no-such-1",), "two": ("no-such-2",)})
    monkeypatch.setattr(servers, "apt_get", lambda *arguments: called.append(arguments[0:1] + arguments[3:]))
    monkeypatch.setattr(servers, "_POLICY", Path("/dev/null"))
    monkeypatch.setattr(servers.os, "geteuid", lambda: 0)
    monkeypatch.setattr(servers.shutil, "which", lambda name: name if name == "apt-get" else None)
    servers.main()
    assert called == [("install", "one", "two"), ("update",), ("install", "one"), ("install", "two")]
