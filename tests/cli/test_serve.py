"""`manometer serve`: the figures of worker processes, without being one."""

import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from manometer import Counter
from manometer.cli import main
from manometer.exporter.multiprocess import Worker
from waiting import DEADLINE


def test_the_figures_of_a_directory_are_served_until_the_process_is_told_to_end(tmp_path):
    """Its address is the first line; SIGTERM ends it well, and it leaves no file of its own."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc(3)
    worker = Worker.of(registry, str(tmp_path))
    worker.flush()
    before = list(tmp_path.iterdir())
    command = [sys.executable, "-m", "manometer", "serve", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            url = program.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url)
            with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
                assert b"\nc_total 3.0\n" in answer.read()
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.stderr.read() == ""
    assert program.returncode == 0
    assert list(tmp_path.iterdir()) == before


@pytest.mark.parametrize("variable", ["MANOMETER_PROCESSES_DIR", "PROMETHEUS_MULTIPROC_DIR"])
def test_the_directory_is_the_setting_s_where_none_is_named(tmp_path, monkeypatch, capsys, variable):
    """By either kit's variable; one that is not there is a mistake."""
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == (
        f"manometer: {tmp_path / 'none'} is no directory; name the one that the workers have as processes_dir\n"
    )


def test_without_a_directory_it_says_what_to_name(monkeypatch, capsys):
    """One line, and no traceback."""
    monkeypatch.delenv("MANOMETER_PROCESSES_DIR", raising=False)
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert main(["serve"]) == 2
    assert "name their directory, or set MANOMETER_PROCESSES_DIR" in capsys.readouterr().err
