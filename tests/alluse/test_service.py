"""How the engine's service runs, and reads its settings again."""

import logging
import re
import urllib.request

from alluse.configuration import Both, Configuration
from alluse.service import Service
from alluse.settings import Settings
from manometer import Life
from waiting import DEADLINE, until


def test_a_reload_changes_the_engine_and_its_manometer(tmp_path, caplog):
    """The rate at once; the rest of the engine's settings needs a restart. A mistake in either refuses both."""
    caplog.set_level(logging.INFO)
    file = tmp_path / "alluse.yaml"
    file.write_text("port: 0\nprograms: {alluse: {rate: 1, book: none, bars_ahead: 1}}\n")
    settings = Both(Configuration(file))
    with Life(settings.metrics, signals=False) as life:
        running = Service(settings, control_port=0).start(life)
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
