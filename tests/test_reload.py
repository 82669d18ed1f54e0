"""A running Manometer takes new settings, as far as they may change, and keeps the old ones where they are wrong."""

import json
import logging
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from threading import Event, Thread

import pytest
from prometheus_client import CollectorRegistry

import manometer.config
from forking import in_child
from manometer import Gauge, Manometer, Settings
from manometer.config.declared import declared
from manometer.errors import ConfigError
from manometer.health import check
from manometer.otlp.sending import FOLLOWED
from manometer.processes import Worker
from waiting import DEADLINE, joined, until

LAST = "manometer_config_last_reload_successful"
LAST_OF_WEB = "manometer_server_config_last_reload_successful"
SINCE = "manometer_config_last_reload_success_timestamp_seconds"


@pytest.fixture
def file(tmp_path):
    """Writes the settings file; gives its path."""
    path = tmp_path / "shop.yaml"

    def write(text):
        path.write_text(f"port: 0\n{text}")
        return path

    return write


@pytest.fixture
def started(figures, file):
    """Starts a Manometer on the file; closed with the test."""
    running = []

    def start(text):
        path = file(text)
        running.append(Manometer(load=lambda: Settings.load(path, {}), registry=figures.registry).start())
        return running[0]

    yield start
    for each in running:
        each.close()


def _status(url, host):
    request = urllib.request.Request(f"{url}/livez", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def _outcomes(figures):
    return {
        outcome: figures("manometer_config_reloads_total", manometer_config_reload_outcome=outcome)
        for outcome in ("ok", "partial", "refused")
        if figures("manometer_config_reloads_total", manometer_config_reload_outcome=outcome)
    }


def test_allowed_hosts_change_while_it_serves(started, file):
    """By the next request, on the same port."""
    manometer = started("")
    url = manometer.url
    assert _status(url, "proxy.example") == 421
    file("allowed_hosts: proxy.example")
    assert manometer.reload() is True
    assert manometer.settings.allowed_hosts == "proxy.example"
    assert (manometer.url, _status(url, "proxy.example")) == (url, 200)


def test_the_time_of_a_collector_changes(started, file, figures):
    """The scrape after the reload waits no longer for one that hangs."""
    manometer = started("collector_timeout: 3600")
    ends = Event()
    Gauge("hanging", "Help.", registry=figures.registry).set_function(lambda: float(ends.wait(DEADLINE)))
    file("collector_timeout: 0.2")
    assert manometer.reload() is True
    with urllib.request.urlopen(f"{manometer.url}/metrics", timeout=DEADLINE) as answer:
        assert b"hanging 1" not in answer.read()
    ends.set()


def test_the_worker_of_a_group_gets_the_time_too(started, file, figures, tmp_path):
    """Its own collections are bounded by it as well."""
    shared = tmp_path / "shared"
    manometer = started(f"processes_dir: {shared}")
    file(f"processes_dir: {shared}\ncollector_timeout: 2")
    assert manometer.reload() is True
    assert Worker.of(figures.registry, str(shared)).patience == 2


def test_the_interval_of_health_checks_changes(started, file, figures):
    """A check that would have run in an hour runs soon."""
    manometer = started("health_interval: 3600")
    ran = []
    check("database", lambda: ran.append(1), registry=figures.registry)
    until(lambda: ran)
    file("health_interval: 0.05")
    assert manometer.reload() is True
    until(lambda: len(ran) >= 3)


def test_the_level_of_the_log_changes(started, file):
    """And is given back at the end as it was before the start."""
    before = logging.getLogger().level
    manometer = started("logs: true\nlog_level: error")
    file("logs: true\nlog_level: debug")
    assert manometer.reload() is True
    assert logging.getLogger().level == logging.DEBUG
    manometer.close()
    assert logging.getLogger().level == before


def test_without_manometer_s_logs_the_program_s_level_stays(started, file):
    """It is not Manometer's to change."""
    before = logging.getLogger().level
    manometer = started("log_level: error")
    file("log_level: debug")
    assert manometer.reload() is True
    assert logging.getLogger().level == before


def test_what_cannot_change_needs_a_restart(started, file, figures, caplog):
    """It is told, counted, and the rest holds; what holds can be asked for."""
    manometer = started("")
    url = manometer.url
    file("service_name: corner\nhealth_interval: 5\nhost: 127.0.0.2")
    assert manometer.reload() is False
    assert manometer.url == url
    assert manometer.settings == Settings(port=0, health_interval=5.0)
    assert _outcomes(figures) == {"partial": 1}
    assert figures(LAST) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "the setting host needs a restart to become 127.0.0.2",
        "the setting service_name needs a restart to become corner",
    ]


def test_wrong_settings_change_nothing_and_are_counted(started, file, figures, caplog):
    """The last good ones hold, until the file is right again."""
    manometer = started("")
    since = figures(SINCE)
    assert (figures(LAST), _outcomes(figures)) == (1, {})
    path = file("health_interval: 5\nprot: 1\nlog_level: loud")
    assert manometer.reload() is False
    assert manometer.settings == Settings(port=0)
    assert (figures(LAST), figures(SINCE), _outcomes(figures)) == (0, since, {"refused": 1})
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        f"the settings stay as they are: unknown setting 'prot' in file {path}, line 3; did you mean port?; "
        f"log_level is 'loud' in file {path}, line 4; it takes one of debug, info, warning, error, critical"
    )
    file("health_interval: 5")
    assert manometer.reload() is True
    assert (figures(LAST), _outcomes(figures)) == (1, {"refused": 1, "ok": 1})
    assert figures(SINCE) >= since


def test_at_the_end_no_configuration_holds_any_more(figures, tmp_path):
    """A refused web configuration is no matter of a later start without one."""
    web = tmp_path / "web.yml"
    web.write_text("http_server_config: {http2: false}\n")
    with Manometer(Settings(port=0, web_config_file=str(web)), registry=figures.registry) as manometer:
        web.write_text("nothing: true\n")
        _status(manometer.url, "localhost")
        assert (figures(LAST), figures(LAST_OF_WEB)) == (1, 0)
    assert (figures(LAST), figures(LAST_OF_WEB)) == (None, None)
    with Manometer(Settings(port=0), registry=figures.registry):
        assert (figures(LAST), figures(LAST_OF_WEB)) == (1, None)


def test_a_file_that_is_gone_changes_nothing(started, file, figures):
    """As amid a deployment."""
    manometer = started("health_interval: 5")
    file("").unlink()
    assert manometer.reload() is False
    assert manometer.settings.health_interval == 5
    assert _outcomes(figures) == {"refused": 1}


def test_a_part_that_cannot_take_them_refuses_all(started, file, figures, monkeypatch):
    """An extra that is missing: what had changed before is put back."""
    monkeypatch.setitem(sys.modules, "manometer.otlp.spans", None)
    manometer = started("")
    file("otlp_endpoint: http://127.0.0.1:1\nhealth_interval: 5")
    assert manometer.reload() is False
    assert manometer.settings == Settings(port=0)
    assert _outcomes(figures) == {"refused": 1}


def test_new_settings_may_be_given(figures):
    """By a program that makes them itself."""
    with Manometer(Settings(port=0), registry=figures.registry) as manometer:
        assert manometer.reload(Settings(port=0, health_interval=5.0)) is True
        assert manometer.settings.health_interval == 5
        with pytest.raises(ConfigError, match=r"was given its settings; pass the new ones: reload\(settings\)"):
            manometer.reload()


def test_sighup_cannot_reload_what_was_given(figures):
    """The start says so, and not the first signal."""
    with pytest.raises(ConfigError, match=r"reload_on_sighup needs to know what to read: pass load="):
        Manometer(Settings(port=0, reload_on_sighup=True), registry=figures.registry).start()


def test_only_one_that_runs_reloads(figures):
    """Before the start and after the end, an error says so; started again, it has the settings that held."""
    manometer = Manometer(Settings(port=0), registry=figures.registry)
    with pytest.raises(ConfigError, match="is not running"):
        manometer.reload(Settings(port=0))
    manometer.start()
    manometer.reload(Settings(port=0, health_interval=5.0))
    manometer.close()
    with pytest.raises(ConfigError, match="is not running"):
        manometer.reload(Settings(port=0))
    with manometer:
        assert manometer.settings.health_interval == 5
        assert manometer.reload(Settings(port=0, health_interval=6.0)) is True


def test_a_forked_child_does_not_reload_what_the_parent_runs(started):
    """It would start threads of parts that do not run there."""
    manometer = started("")

    def child():
        with pytest.raises(ConfigError, match="is not running"):
            manometer.reload()

    in_child(child)


def test_a_program_that_is_started_by_the_function_reloads_what_it_was_given(file, monkeypatch):
    """The file, the profile, the environment, and its own word over them."""
    path = file("profiles: {production: {health_interval: 5}}")
    manometer_ = manometer.start(CollectorRegistry(), path, profile="production", allowed_hosts="a")
    try:
        assert (manometer_.settings.health_interval, manometer_.settings.allowed_hosts) == (5, "a")
        file("allowed_hosts: b\nprofiles: {production: {health_interval: 6}}")
        monkeypatch.setenv("MANOMETER_COLLECTOR_TIMEOUT", "3")
        assert manometer_.reload() is True
        assert manometer_.settings == Settings(port=0, health_interval=6, allowed_hosts="a", collector_timeout=3.0)
    finally:
        manometer_.close()


def test_reloads_from_many_threads_leave_one_state(started, file):
    """Each in turn; what holds at the end is what the file says."""
    manometer = started("health_interval: 5")
    file("health_interval: 6\nallowed_hosts: a")
    threads = [Thread(target=manometer.reload) for _ in range(8)]
    for each in threads:
        each.start()
    joined(*threads)
    assert manometer.settings == Settings(port=0, health_interval=6, allowed_hosts="a")


def test_a_file_that_takes_long_to_read_holds_nobody_else_up(figures):
    """The settings are read before the lock is taken that starts and ends wait for."""
    reads, go_on = Event(), Event()

    def load():
        if manometer is not None:
            reads.set()
            assert go_on.wait(DEADLINE)
        return Settings(port=0)

    manometer = None
    manometer = Manometer(load=load, registry=figures.registry).start()
    told = []

    def reload():
        with pytest.raises(ConfigError, match="is not running") as raised:
            manometer.reload()
        told.append(raised)

    thread = Thread(target=reload)
    thread.start()
    assert reads.wait(DEADLINE)
    manometer.close()
    go_on.set()
    joined(thread)
    assert told


def test_every_setting_that_may_change_is_named_so():
    """What the reference says may change is what these tests change, and what spans and metrics follow."""
    live = {name for name, each in declared(Settings).items() if each.live}
    assert live == {"allowed_hosts", "collector_timeout", "health_interval", "log_level", *FOLLOWED}


PROGRAM = """
import json, select, signal, sys
import manometer
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
running = manometer.start(path=sys.argv[1])
print(running.url, flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:  # and comes back, to hear of signals
    pass
print(json.dumps([running.settings.health_interval, running.settings.allowed_hosts]), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP on Windows")
def test_sighup_reloads_where_that_is_asked_for(file):
    """In a real program, with its outcome at /metrics."""
    path = file("reload_on_sighup: true\nhealth_interval: 5")
    with _program(path) as program:
        url = program.stdout.readline().strip()
        file("reload_on_sighup: true\nhealth_interval: 5\nallowed_hosts: a")
        program.send_signal(signal.SIGHUP)
        until(lambda: 'reloads_total{manometer_config_reload_outcome="ok"} 1.0' in _page(url))
        path.write_text("port: x")
        program.send_signal(signal.SIGHUP)
        until(lambda: 'reloads_total{manometer_config_reload_outcome="refused"} 1.0' in _page(url))
        told, said = program.communicate("\n", timeout=DEADLINE)
    assert json.loads(told) == [5, "a"]
    assert f"the settings stay as they are: port is 'x' in file {path}, line 1; it takes a whole number" in said


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP on Windows")
def test_sighup_is_the_program_s_where_nobody_asks(file):
    """As without Manometer, it ends the program."""
    with _program(file("")) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGHUP)
        assert program.wait(DEADLINE) == -signal.SIGHUP


def _program(path):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _page(url):
    with urllib.request.urlopen(f"{url}/metrics", timeout=DEADLINE) as answer:
        return answer.read().decode()
