"""`manometer serve`: the figures of worker processes, without being one."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import closing, redirect_stdout
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry

from manometer import Counter
from manometer.cli import main
from manometer.processes import Worker
from waiting import DEADLINE, joined, until

ENDS = (signal.SIGINT, signal.SIGTERM)


def _page(url):
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return answer.read().decode()


@pytest.fixture
def shared(tmp_path):
    """The directory of a worker process that has counted to 3."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc(3)
    Worker.of(registry, str(tmp_path)).flush()
    return str(tmp_path)


@pytest.fixture
def handlers():
    """What signals do is afterwards as it was. SIGINT is not ignored, also where the tests run in the background."""
    before = {number: signal.getsignal(number) for number in (*ENDS, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_figures_of_a_directory_are_served_until_the_process_is_told_to_end(shared, tmp_path):
    """Its address is the first line; SIGTERM ends it well, and it leaves no file of its own."""
    before = list(tmp_path.iterdir())
    command = [sys.executable, "-m", "manometer", "serve", shared, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            url = program.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url)
            assert "\nc_total 3.0\n" in _page(url)
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.stderr.read() == ""
    assert program.returncode == 0
    assert list(tmp_path.iterdir()) == before


def test_a_crash_of_it_leaves_a_report(shared, tmp_path):
    """Where the setting says so, as with any program."""
    (tmp_path / "private").mkdir()
    report = tmp_path / "private" / "crash.txt"
    command = [sys.executable, "-m", "manometer", "serve", shared, "--port", "0"]
    environment = os.environ | {"MANOMETER_CRASH_REPORT": str(report)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGABRT)
        assert program.wait(DEADLINE) == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in report.with_name("crash.txt.fatal").read_text()


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_not_named_is_as_the_settings_have_it(shared, monkeypatch, number):
    """The host that it listens on and the service's name; Ctrl-C ends it as SIGTERM does."""
    monkeypatch.setenv("MANOMETER_HOST", "127.0.0.2")
    monkeypatch.setenv("MANOMETER_SERVICE_NAME", "shop")
    monkeypatch.setenv("MANOMETER_PROCESSES_DIR", shared)
    pages = _pages_until(number, ["serve", "--port", "0"])
    assert re.match(r"http://127\.0\.0\.2:\d+/metrics$", pages["address"])
    assert "\nc_total 3.0\n" in pages["/metrics"]
    assert "<h1>shop</h1>" in pages["/"]


@pytest.mark.usefixtures("handlers")
def test_what_is_named_comes_before_the_settings(shared, tmp_path, monkeypatch):
    """The directory, the host and the port."""
    monkeypatch.setenv("MANOMETER_HOST", "127.0.0.3")
    monkeypatch.setenv("MANOMETER_PORT", "1")
    monkeypatch.setenv("MANOMETER_PROCESSES_DIR", str(tmp_path / "none"))
    pages = _pages_until(signal.SIGTERM, ["serve", shared, "--host", "127.0.0.2", "--port", "0"])
    assert pages["address"].startswith("http://127.0.0.2:")
    assert "\nc_total 3.0\n" in pages["/metrics"]


@pytest.mark.usefixtures("handlers")
def test_the_flags_of_exporters_are_understood(shared, tmp_path, monkeypatch):
    """Those of exporter-toolkit and node_exporter; they come before the settings, and each address has a line."""
    monkeypatch.setenv("MANOMETER_LISTEN_ADDRESSES", "127.0.0.1:1")
    (tmp_path / "web.yml").write_text("http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
    listen = ["--web.listen-address=127.0.0.2:0", f"--web.listen-address=unix:{tmp_path / 'app.sock'}"]
    others = ["--web.telemetry-path=/figures", f"--web.config.file={tmp_path / 'web.yml'}", "--web.max-requests=3"]
    command = [sys.executable, "-m", "manometer", "serve", shared, *listen, *others]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            first, second = program.stdout.readline().strip(), program.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.2:\d+/figures", first)
            assert second == f"unix:{tmp_path / 'app.sock'}"
            with urllib.request.urlopen(first, timeout=DEADLINE) as answer:
                assert "\nc_total 3.0\n" in answer.read().decode()
                assert answer.headers["X-Frame-Options"] == "deny"
        finally:
            program.send_signal(signal.SIGTERM)
    assert program.returncode == 0
    assert not (tmp_path / "app.sock").exists()


@pytest.mark.usefixtures("handlers")
def test_a_port_that_is_typed_comes_before_addresses_that_are_set(shared, monkeypatch):
    """The command line wins over a variable."""
    monkeypatch.setenv("MANOMETER_LISTEN_ADDRESSES", "127.0.0.1:1")
    assert _pages_until(signal.SIGTERM, ["serve", shared, "--port", "0"])["address"].startswith("http://127.0.0.1:")


def test_addresses_beside_a_port_are_refused(shared, capsys):
    """There is no telling which is meant."""
    assert main(["serve", shared, "--port", "0", "--web.listen-address=:0"]) == 2
    assert capsys.readouterr().err == (
        "manometer: --web.listen-address is in place of --host and --port; give one or the other\n"
    )


def _pages_until(number, command):
    """Run the command here, read what it serves, and end it by the signal."""
    pages = {}
    ours, theirs = os.pipe()

    def visit():
        with os.fdopen(ours) as out:
            pages["address"] = out.readline().strip()
            try:
                for path in ("/metrics", "/"):
                    pages[path] = _page(pages["address"].removesuffix("/metrics") + path)
            finally:
                if pages["address"]:
                    os.kill(os.getpid(), number)

    visitor = Thread(target=visit)
    visitor.start()
    with os.fdopen(theirs, "w") as out, redirect_stdout(out):
        assert main(command) == 0
    joined(visitor)
    ended_by, other = (signal.getsignal(each) for each in {number: 0, **dict.fromkeys(ENDS)})
    assert (ended_by, other) == (signal.SIG_DFL, signal.SIG_IGN)  # until it has ended
    return pages


def test_a_directory_that_others_may_write_to_is_refused(tmp_path, capsys):
    """At the start, as by the workers, and not at the first scrape."""
    tmp_path.chmod(0o777)
    assert main(["serve", str(tmp_path), "--port", "0"]) == 2
    assert capsys.readouterr().err == (
        f"manometer: processes_dir {tmp_path} is not safe: other users may write there (mode 0777); "
        "make it its user's alone, or name another\n"
    )


@pytest.mark.parametrize("variable", ["MANOMETER_PROCESSES_DIR", "PROMETHEUS_MULTIPROC_DIR"])
def test_the_directory_is_the_setting_s_where_none_is_named(tmp_path, monkeypatch, capsys, variable):
    """By either kit's variable; one that is not there is a mistake."""
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == (
        f"manometer: {tmp_path / 'none'} is no directory; name the one that the workers have as processes_dir\n"
    )


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o444], ids=oct)
def test_a_directory_that_cannot_be_read_is_refused_at_the_start(capsys, mode):
    """And not with the first scrape: neither its list of files nor the files without the other are enough."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        if user == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        try:
            Path(folder).chmod(mode)
            assert main(["serve", folder, "--port", "0"]) == 2
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o700)
    assert capsys.readouterr().err == (
        f"manometer: {folder} cannot be read (Permission denied); serve as a user who may read it\n"
    )


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", None, "port {port} on 127.0.0.1 is in use; set MANOMETER_PORT or pass --port"),
        ("no such host", "0", "host 'no such host' is not known here; set MANOMETER_HOST or pass --host"),
    ],
)
def test_an_address_that_cannot_be_had_names_the_option(shared, capsys, host, port, reason):
    """Whoever typed the command has no argument of a function to pass."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        number = taken.getsockname()[1]
        assert main(["serve", shared, "--host", host, "--port", port or str(number)]) == 2
    assert capsys.readouterr().err == f"manometer: {reason.format(port=number)}\n"


def test_without_a_directory_it_says_what_to_name(monkeypatch, capsys):
    """One line, and no traceback."""
    monkeypatch.delenv("MANOMETER_PROCESSES_DIR", raising=False)
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "manometer: which processes? name their directory, or set MANOMETER_PROCESSES_DIR\n"
    )


def _status(url, host):
    request = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP on Windows")
def test_sighup_has_the_settings_read_again(shared, tmp_path):
    """Of the file and the profile that were named; what needs a restart, and what is wrong, is told."""
    file = tmp_path / "serve.yaml"
    file.write_text("port: 0\nprofiles: {production: {}}\n")
    command = [sys.executable, "-m", "manometer", "serve", shared, "--config", file, "--profile", "production"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            url = program.stdout.readline().strip()
            assert _status(url, "proxy.example") == 421
            file.write_text("port: 0\nprofiles: {production: {allowed_hosts: proxy.example, service_name: shop}}\n")
            program.send_signal(signal.SIGHUP)
            until(lambda: _status(url, "proxy.example") == 200)
            assert program.stderr.readline() == "the setting service_name needs a restart to become shop\n"
            file.write_text("port: x\n")
            program.send_signal(signal.SIGHUP)
            assert program.stderr.readline() == (
                f"the settings stay as they are: port is 'x' in file {file}, line 1; "
                "it takes a whole number from 0 to 65535; "
                f"unknown profile 'production' in file {file}; there are none\n"
            )
            assert _status(url, "proxy.example") == 200
            reloads = 'manometer_config_reloads_total{manometer_config_reload_outcome="%s"} 1.0\n'
            until(lambda: reloads % "refused" in _page(url))
            page = _page(url)
            assert reloads % "partial" in page
            assert "\nmanometer_config_last_reload_successful 0.0\n" in page
        finally:
            program.send_signal(signal.SIGTERM)
    assert program.returncode == 0


def test_what_it_refuses_by_itself_is_among_the_figures(shared, tmp_path):
    """Added to what the workers refused: an alert sees no difference."""
    (tmp_path / "web.yml").write_text("http_server_config: {http2: false}\n")
    command = [sys.executable, "-m", "manometer", "serve", shared, "--port=0"]
    command.append(f"--web.config.file={tmp_path / 'web.yml'}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            url = program.stdout.readline().strip()
            assert "\nmanometer_server_config_last_reload_successful 1.0\n" in _page(url)
            assert _status(url, "proxy.example") == 421
            (tmp_path / "web.yml").write_text("nothing: 1\n")
            page = _page(url)
            assert "\nmanometer_server_config_last_reload_successful 0.0\n" in page
            assert 'manometer_server_refusals_total{manometer_server_refusal_reason="host"} 1.0\n' in page
        finally:
            program.send_signal(signal.SIGTERM)
            program.communicate(timeout=DEADLINE)
    assert program.returncode == 0
