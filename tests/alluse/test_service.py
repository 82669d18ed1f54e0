"""How the engine's service is told to end, and to read its settings again."""

import logging
import re
import signal
import subprocess
import sys
import urllib.request

from alluse import service
from alluse.configuration import Configuration
from alluse.settings import Settings
from waiting import DEADLINE, until

STRUCK = """
import signal, sys
from alluse import service
service._TICK = 0.01
for at in range(1, 60):
    seen = 0

    def trace(frame, event, argument):
        global seen
        seen += event == "line"
        if event == "line" and seen == at:
            signal.raise_signal(signal.SIGINT)
        return trace

    with service.stopped_by_signals() as until:
        sys.settrace(trace)
        for _ in until(0.03):
            pass
        sys.settrace(None)
print("ended")
"""


def test_a_signal_may_come_at_any_line_of_the_wait():
    """Amid whatever the main thread does; its handler waits for no lock that the wait may hold."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_sighup_ends_the_loop_or_asks_for_a_reload(monkeypatch):
    """As the loop's user has it; each asks once."""
    monkeypatch.setattr(service, "_TICK", 0)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with service.stopped_by_signals(reloads=True) as until:
            told = iter(until(None))
            assert next(told) is False
            signal.raise_signal(signal.SIGHUP)
            assert [next(told), next(told)] == [True, False]
        with service.stopped_by_signals() as until:
            told = iter(until(None))
            assert next(told) is False
            signal.raise_signal(signal.SIGHUP)
            assert list(told) == []
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reload_changes_the_engine_and_its_manometer(tmp_path, caplog):
    """The rate at once; the rest of the engine's settings needs a restart. A mistake in either refuses both."""
    caplog.set_level(logging.INFO)
    file = tmp_path / "alluse.yaml"
    file.write_text("port: 0\nprograms: {alluse: {rate: 1, book: none, bars_ahead: 1}}\n")
    with service.Service(Configuration(file), control_port=0).running() as running:
        assert running.live.settings.rate == 1
        file.write_text(
            "port: 0\ncollector_timeout: 3\nprograms: {alluse: {rate: 2000, book: none, bars_ahead: 2}}\n"
        )
        running.reload()
        assert running.live.settings == Settings(rate=2000, book="none", bars_ahead=1)
        assert running.manometer.settings.collector_timeout == 3
        until(lambda: _workflows(running.metrics_url) > 50)
        file.write_text("port: 0\ncollector_timeout: 4\nprograms: {alluse: {rate: 0}}\n")
        running.reload()
        assert (running.live.settings.rate, running.manometer.settings.collector_timeout) == (2000, 3)
        assert "\nmanometer_config_last_reload_successful 0.0\n" in _page(running.metrics_url)
    told = [record.getMessage() for record in caplog.records]
    assert len([each for each in told if each.startswith("the settings stay as they are: rate is 0; it must")]) == 1
    assert "the setting rate is 2000 now" in told
    assert "the setting bars_ahead needs a restart to become 2" in told


def _workflows(url):
    found = re.findall(r"^alluse_workflows_total\{[^}]*\} (\S+)$", _page(url), re.MULTILINE)
    return sum(map(float, found))


def _page(url):
    with urllib.request.urlopen(f"{url}/metrics", timeout=DEADLINE) as answer:
        return answer.read().decode()
