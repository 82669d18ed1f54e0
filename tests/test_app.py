"""A Manometer starts everything or nothing, and leaves nothing behind."""

import base64
import gc
import json
import logging
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import bcrypt
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, PlatformCollector, ProcessCollector
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from collected import collect
from forking import in_child
from manometer import instrument_pool
from manometer.app.applications import asgi_app, wsgi_app
from manometer.app.manometer import Manometer, start
from manometer.catalogue.self_metrics import CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOAD_TIME
from manometer.config import Settings
from manometer.errors import BindingError, ConfigError
from manometer.health import Checks, check
from manometer.instrumentation.runtime import instrument_host, instrument_runtime
from manometer.meters.fork import Forked
from ports import reserved_port
from waiting import DEADLINE, until

FREE = Settings(port=0)
REGISTRY, SETTINGS = "takes a CollectorRegistry object", "takes a Settings object"


def _get(url):
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _state(registry):
    """What a Manometer may change of its process."""
    threads = {each.name for each in threading.enumerate() if each.name.startswith("manometer-")}
    return (
        threads - {"manometer-answer"},  # which has given its answer back, as of the test before, and is about to end
        gc.callbacks[:],
        logging.getLogger().handlers[:],
        {type(each) for each in registry._collector_to_names} & {PlatformCollector},
    )


def test_a_started_manometer_serves_the_process_the_host_and_the_program(figures):
    """One address, with every family that it adds by itself."""
    Gauge("depth", "Depth.", registry=figures.registry).set(3)
    with Manometer(FREE, registry=figures.registry) as manometer:
        status, text = _get(f"{manometer.url}/metrics")
    assert status == 200
    for line in (
        "depth 3.0\n",
        "process_memory_usage_bytes ",
        "python_info{",
        "cpython_gc_collected_objects_total{",
    ):
        assert line in text
    assert "system_memory_usage_bytes{" in text
    assert 'python_gc_pause_seconds_bucket{cpython_gc_generation="0"' in text
    assert "manometer_collect_duration_seconds{" in text
    failures = re.findall(r'^manometer_collect_failures_total{.*_name="(\w+)"} (.*)$', text, re.MULTILINE)
    assert {"process", "host", "runtime"} <= dict(failures).keys()
    assert set(dict(failures).values()) == {"0.0"}


def test_closing_leaves_nothing_behind(figures):
    """No thread, callback, handler or collector; a second close does nothing, and a second start serves again."""
    before = _state(figures.registry)
    manometer = Manometer(Settings(port=0, logs=True), registry=figures.registry)
    for _ in range(2):
        assert manometer.start() is manometer
        assert _state(figures.registry) != before
        url = manometer.url
        manometer.close()
        manometer.close()
        assert _state(figures.registry) == before
        with pytest.raises(urllib.error.URLError):
            _get(url)
    with pytest.raises(ConfigError, match="this Manometer is not running; call start"):
        _ = manometer.url


def test_starting_twice_is_refused(figures):
    """The error says where it serves; what runs goes on."""
    with Manometer(FREE, registry=figures.registry) as manometer:
        with pytest.raises(ConfigError, match=f"is running and serves {manometer.url}; close it first"):
            manometer.start()
        assert _get(f"{manometer.url}/livez") == (200, "ok\n")


def test_a_registry_has_one_manometer(figures):
    """A second is refused before it touches what the first has started, and may start when that one has ended."""
    check("db", lambda: None, interval=0.01, registry=figures.registry)
    second = Manometer(FREE, registry=figures.registry)
    with Manometer(FREE, registry=figures.registry) as first:
        before = _state(figures.registry)
        with pytest.raises(
            ConfigError, match=f"already, which serves {first.url}; use that, which Manometer.running"
        ):
            second.start()
        assert _state(figures.registry) == before
        second.close()
        assert _state(figures.registry) == before
        assert figures("system_cpu_logical_count") > 0
    with second:
        assert _get(f"{second.url}/livez") == (200, "ok\n")


def test_a_manometer_whose_handle_was_lost_can_be_had_again(figures):
    """As where a notebook's cell runs twice: the error names the way, by which the first is used or closed."""
    start(figures.registry, port=0)
    with pytest.raises(
        ConfigError, match=r"use that, which Manometer\.running\(registry\) returns, or close it first"
    ):
        start(figures.registry, port=0)
    lost = Manometer.running(figures.registry)
    assert lost.settings == FREE
    assert _get(f"{lost.url}/livez") == (200, "ok\n")
    lost.close()
    assert Manometer.running(figures.registry) is None
    with start(figures.registry, port=0) as manometer:
        assert Manometer.running(figures.registry) is manometer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_may_have_its_own(figures):
    """The parent's does not serve there."""
    with Manometer(FREE, registry=figures.registry):

        def child():
            with Manometer(FREE, registry=figures.registry) as own:
                assert _get(f"{own.url}/livez") == (200, "ok\n")

        in_child(child)


def test_a_fork_frees_the_registry_of_the_one_that_runs_on_it(figures):
    """Another that was made for the registry, and does not run, changes nothing."""
    with Manometer(FREE, registry=figures.registry) as first:
        Manometer(FREE, registry=figures.registry).renew(Forked.AT_ONCE)
        assert Manometer.running(figures.registry) is first
        first.renew(Forked.AT_ONCE)
        assert Manometer.running(figures.registry) is None


def test_a_taken_port_touches_nothing(figures, monkeypatch):
    """It is the first thing to be had."""
    with Manometer(FREE, registry=figures.registry) as first:
        port = int(first.url.rpartition(":")[2])
        monkeypatch.setattr("manometer.app.manometer.measure", lambda **_: pytest.fail("it was measured"))
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            Manometer(Settings(port=port, logs=True), registry=CollectorRegistry()).start()


def test_a_start_that_fails_is_undone(monkeypatch):
    """All that came before the part that fails is stopped again, the port among it."""
    registry = CollectorRegistry()
    before = _state(registry)
    manometer = Manometer(Settings(port=0, logs=True), registry=registry)
    with monkeypatch.context() as patch:
        patch.setattr(Checks, "start", lambda *_: _raise(RuntimeError("can't start new thread")))
        with pytest.raises(ConfigError, match=r"no thread can be started here \(can't start new thread\); serve"):
            manometer.start()
    assert _state(registry) == before
    with pytest.raises(ConfigError, match="is not running"):
        _ = manometer.url
    manometer.start()
    manometer.close()


def test_a_start_for_a_taken_port_may_be_tried_again(figures):
    """Once the port is free, or another registry's Manometer has gone."""
    with reserved_port() as port:
        second = Manometer(Settings(port=port), registry=CollectorRegistry())
        in_use = pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use")
        with Manometer(Settings(port=port), registry=figures.registry), in_use:
            second.start()
        second.start()
        second.close()


def test_the_program_s_own_process_collector_stays(figures):
    """Its names are others than ours, so both are shown; at the end ours goes, and what tells the version stays."""
    for collector in (ProcessCollector, GCCollector, PlatformCollector):
        collector(registry=figures.registry)
    with Manometer(FREE, registry=figures.registry):
        assert figures("process_resident_memory_bytes") > 0
        assert figures("process_memory_usage_bytes") > 0
        assert figures("python_gc_collections_total", generation="0") >= 0
        assert figures("cpython_gc_collections_total", cpython_gc_generation="0") >= 0
    assert figures("process_memory_usage_bytes") is None
    assert figures("process_resident_memory_bytes") > 0
    assert figures("python_info") == 1


def test_what_the_program_has_bound_already_stays_its_own(figures):
    """Of the runtime and of the host there is one binding a registry, whoever made it."""
    with instrument_host(registry=figures.registry) as host, instrument_runtime(registry=figures.registry) as runtime:
        for _ in range(2):
            with Manometer(FREE, registry=figures.registry):
                assert figures("system_cpu_logical_count") >= 1
        assert not host.closed
        assert not runtime.closed
        assert figures("system_cpu_logical_count") >= 1
    with Manometer(FREE, registry=figures.registry):
        assert figures("system_cpu_logical_count") >= 1
        with pytest.raises(BindingError, match="or the Manometer that was started"):
            instrument_host(registry=figures.registry)
    instrument_host(registry=figures.registry).close()


def test_a_host_that_cannot_be_read_keeps_nobody_from_starting(figures, monkeypatch, caplog):
    """Its figures are absent, and the log says why."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    for name in ("psutil", "process"):
        monkeypatch.delitem(sys.modules, f"manometer.instrumentation.runtime.{name}", raising=False)
        monkeypatch.delattr(f"manometer.instrumentation.runtime.{name}", raising=False)
    with Manometer(FREE, registry=figures.registry):
        assert figures("system_cpu_logical_count") is None
        assert figures("python_gc_pause_seconds_count", cpython_gc_generation="2") is not None
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "the process is not measured: psutil cannot be loaded here",
        "the host is not measured: psutil cannot be loaded here",
    ]


def test_readiness_follows_the_checks(figures):
    """Not ready until the critical check has passed, not ready when it fails."""
    go_on, state = threading.Event(), {"problem": None}

    def ping():
        go_on.wait(DEADLINE)
        return state["problem"]

    check("db", ping, interval=0.01, registry=figures.registry)
    with Manometer(FREE, registry=figures.registry) as manometer:
        url = f"{manometer.url}/readyz"
        assert _get(url) == (503, "db (critical): unknown, it has not run yet\nnot ready\n")
        go_on.set()
        until(lambda: _get(url) == (200, "ready\n"))
        state["problem"] = "refused"
        until(lambda: _get(url) == (503, "db (critical): refused\nnot ready\n"))
        assert figures("health_check_up", health_check_name="db") == 0


def test_the_settings_say_where_and_to_whom_it_answers(figures, tmp_path):
    """Several addresses, the path of the figures, how many scrapes there may be, and a file of users."""
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users:\n  alice: {hashed}\n")
    settings = Settings(
        listen_addresses=f"127.0.0.1:0,unix:{tmp_path / 'app.sock'}",
        telemetry_path="/figures",
        max_requests=1,
        web_config_file=str(tmp_path / "web.yml"),
    )
    with Manometer(settings, registry=figures.registry) as manometer:
        assert (tmp_path / "app.sock").is_socket()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{manometer.url}/figures", timeout=DEADLINE)
        told = base64.b64encode(b"alice:secret").decode()
        request = urllib.request.Request(f"{manometer.url}/figures", headers={"Authorization": f"Basic {told}"})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            assert b"process_cpu_time_seconds_total" in answer.read()
    assert not (tmp_path / "app.sock").exists()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: start(9511), f"start(registry) {REGISTRY}, not 9511; write start(port=9511)"),
        (lambda: start("a.yaml"), f"start(registry) {REGISTRY}, not 'a.yaml'; write start(path='a.yaml')"),
        (lambda: start(Path("a.yaml")), f"start(registry) {REGISTRY}, not 'a.yaml'; write start(path='a.yaml')"),
        (
            lambda: start({"otlp_headers": "key=hush"}),
            f"start(registry) {REGISTRY}, not dict; write start(**settings)",
        ),
        (lambda: start(FREE), f"start(registry) {REGISTRY}, not Settings; write Manometer(settings).start()"),
        (lambda: start(None), f"start(registry) {REGISTRY}, not NoneType"),
        (lambda: wsgi_app("a.yaml"), f"wsgi_app(registry) {REGISTRY}, not 'a.yaml'; write wsgi_app(path='a.yaml')"),
        (lambda: wsgi_app(9511), f"wsgi_app(registry) {REGISTRY}, not 9511"),
        (lambda: asgi_app({}), f"asgi_app(registry) {REGISTRY}, not dict; write asgi_app(**settings)"),
        (lambda: asgi_app(FREE), f"asgi_app(registry) {REGISTRY}, not Settings"),
        (lambda: Manometer("a.yaml"), f"Manometer(settings) {SETTINGS}, not 'a.yaml'; write start(path='a.yaml')"),
        (lambda: Manometer(9511), f"Manometer(settings) {SETTINGS}, not 9511; write start(port=9511)"),
        (lambda: Manometer({"port": 0}), f"Manometer(settings) {SETTINGS}, not dict; write start(**settings)"),
        (
            lambda: Manometer(CollectorRegistry()),
            f"Manometer(settings) {SETTINGS}, not CollectorRegistry; write Manometer(registry=registry)",
        ),
        (
            lambda: Manometer(FREE, registry=CollectorRegistry),
            f"Manometer(registry) {REGISTRY}, not the class CollectorRegistry",
        ),
    ],
)
def test_what_is_given_in_the_wrong_place_is_told_in_one_line(call, told):
    """With the call that was probably meant, and no value of a mapping, which may have a secret."""
    with pytest.raises(ConfigError) as refused:
        call()
    assert str(refused.value) == told


def test_logs_are_set_up_only_when_asked_for(figures):
    """A library must not seize the program's logging."""
    before = logging.getLogger().handlers[:]
    with Manometer(FREE, registry=figures.registry):
        assert logging.getLogger().handlers == before


def test_logs_go_to_the_file_that_the_settings_name(figures, tmp_path):
    """And no further ones once it has closed."""
    file = tmp_path / "log"
    with Manometer(Settings(port=0, logs=True, log_file=str(file)), registry=figures.registry):
        logging.getLogger("orders").warning("sold out")
    logging.getLogger("orders").warning("sold out again")
    assert [json.loads(line)["event"] for line in file.read_text().splitlines()] == ["sold out"]


def test_the_pages_have_the_service_s_name(figures):
    """Whoever serves them."""
    with Manometer(Settings(port=0, service_name="orders"), registry=figures.registry) as manometer:
        assert "<h1>orders</h1>" in _get(manometer.url)[1]
    application = wsgi_app(figures.registry, service_name="orders")
    body = b"".join(application({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None))
    assert b"<h1>orders</h1>" in body


MEASURED = (
    "process_memory_usage_bytes",
    "python_info",
    "cpython_gc_collected_objects",
    "python_gc_pause_seconds",
    "system_cpu_logical_count",
)


@pytest.mark.parametrize("application", [wsgi_app, asgi_app])
def test_an_application_measures_what_start_does(application, figures):
    """The process, its garbage collector and the host: once, however many applications there are."""
    with Manometer(FREE, registry=figures.registry):
        started = {family.name for family in collect(figures.registry)}
    started -= {row.family_name for row in (CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOAD_TIME)}  # it has no reloads
    assert started > set(MEASURED)
    application(figures.registry)
    application(figures.registry)
    names = [family.name for family in collect(figures.registry)]
    assert set(names) == started
    assert len(names) == len(started)


@pytest.mark.parametrize("application", [wsgi_app, asgi_app])
def test_a_manometer_that_ends_leaves_an_application_its_figures(application, figures):
    """Whichever of the two came first."""
    with Manometer(FREE, registry=figures.registry):
        application(figures.registry)
    assert {family.name for family in collect(figures.registry)} > set(MEASURED)
    with Manometer(FREE, registry=figures.registry):
        pass
    assert {family.name for family in collect(figures.registry)} > set(MEASURED)


def test_wsgi_runs_the_checks_once_someone_asks_for_them(figures):
    """A worker process that was forked before its first request has them too."""
    check("db", lambda: None, registry=figures.registry)
    application = wsgi_app(figures.registry)

    def ready():
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/readyz"}
        return list(application(environ, lambda *_: None)) == [b"ready\n"]

    until(ready)
    Checks.on(figures.registry).stop()


def test_wsgi_leaves_the_interval_of_a_running_manometer(figures):
    """A request for /readyz elsewhere in the program is no word on how often to check."""
    application = wsgi_app(figures.registry)
    with Manometer(Settings(port=0, health_interval=0.25), registry=figures.registry):
        list(application({"REQUEST_METHOD": "GET", "PATH_INFO": "/readyz"}, lambda *_: None))
        assert Checks.on(figures.registry).interval == 0.25


async def test_asgi_serves_the_registry(figures):
    """The public function takes a registry and no more."""
    Gauge("depth", "Depth.", registry=figures.registry).set(3)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/metrics", "query_string": b"", "headers": []}
    await asgi_app(figures.registry)(scope, None, send)
    assert b"depth 3.0\n" in sent[1]["body"]


def test_start_serves_the_default_registry_until_the_program_ends():
    """The common case, in a program of its own: settings by name, closed at exit, over a fork too."""
    program = """
import json, os, urllib.request
from manometer import instrument_pool, start
manometer = start(port=0, service_name="orders", logs=True, log_level="warning")
if os.fork() == 0:
    manometer.close()
    raise SystemExit
assert os.wait()[1] == 0
with urllib.request.urlopen(manometer.url + "/metrics") as answer:
    print(json.dumps({"process": b"process_memory_usage_bytes" in answer.read()}))
"""
    may_fork = "ignore:This process:DeprecationWarning"  # since Python 3.12 a fork beside threads warns
    done = subprocess.run(
        [sys.executable, "-W", may_fork, "-c", program], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"process": True}


def test_workers_that_share_a_directory_share_a_port_and_show_each_other(tmp_path):
    """Whichever of them the kernel gives a request to; when one has closed, the others go on."""
    registries = [CollectorRegistry() for _ in range(2)]
    for amount, registry in enumerate(registries, 1):
        Counter("served", "Served.", registry=registry).inc(amount)
    with (
        reserved_port() as port,
        Manometer(Settings(port=port, processes_dir=str(tmp_path)), registry=registries[0]) as first,
        Manometer(Settings(port=port, processes_dir=str(tmp_path)), registry=registries[1]) as second,
    ):
        assert second.url == first.url
        until(lambda: "\nserved_total 3.0\n" in _get(f"{second.url}/metrics")[1])
        first.close()
        assert "\nserved_total 3.0\n" in _get(f"{second.url}/metrics")[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            Manometer(Settings(port=port), registry=CollectorRegistry()).start()
    assert "manometer-processes" not in {each.name for each in threading.enumerate()}


def test_wsgi_joins_the_workers_that_the_settings_name(tmp_path, figures):
    """With the line of a program that runs alone."""
    counter = Counter("served", "Served.", registry=figures.registry)
    application = wsgi_app(figures.registry, processes_dir=str(tmp_path))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics"}
    counter.inc()
    text = b"".join(application(environ, lambda *_: None))
    assert b"\nserved_total 1.0\n" in text
    assert b"\nmanometer_processes 1.0\n" in text
    from manometer.processes import Worker

    Worker.of(figures.registry, str(tmp_path)).stop()


def _raise(error):
    raise error


def test_pools_of_connections_are_shown_by_convention_where_the_settings_say_so(figures):
    """By a Manometer for as long as it runs, and by an application for a server of the program's."""
    engine = create_engine("sqlite:///:memory:", poolclass=QueuePool, pool_size=2)
    instrument_pool(engine, name="orders", registry=figures.registry)
    with Manometer(FREE, registry=figures.registry):
        assert figures("db_client_connection_idle_max") is None
    with Manometer(Settings(port=0, db_client_connections=True), registry=figures.registry):
        assert figures("db_client_connection_idle_max") == 2
    assert figures("db_client_connection_idle_max") is None
    wsgi_app(figures.registry, db_client_connections=True)
    assert figures("db_client_connection_idle_max") == figures("pool_idle_limit") == 2
    engine.dispose()
