"""The last figures of a program get to a file and a gateway at its end and at a flush, and never hurt the program."""

import os
import socket
import stat
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from forking import in_child
from manometer import ConfigError, Counter, Manometer, Settings, flush
from manometer.handover import handover
from ports import reserved_port
from waiting import DEADLINE, joined, until

HANDOVERS = "manometer_handovers_total"


@pytest.fixture
def rows(registry):
    """A counter of the job's own."""
    return Counter("import_rows", "Rows that the import has read.", ["source"], registry=registry)


def job(registry, **settings):
    """A program that serves nothing, for the block."""
    return Manometer(Settings(serve=False, **settings), registry=registry)


def handed_over(registry, receiver):
    """How often it worked, and how often it did not."""
    told = [{"manometer_handover_receiver": receiver, "manometer_handover_outcome": each} for each in ("ok", "error")]
    return [registry.get_sample_value(HANDOVERS, labels) for labels in told]


def told(text):
    """The text without the times at which series were made."""
    return "".join(line for line in text.splitlines(keepends=True) if "_created" not in line)


WORK = """\
# HELP import_rows_total Rows that the import has read.
# TYPE import_rows_total counter
import_rows_total{source="bank"} 5.0
"""


class Gateway:
    """What a gateway was sent: (method, path, headers, body) of each request, which it answers with `status`."""

    def __init__(self, status, body):
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(handler):  # noqa: N805 - `self` is the gateway
                read = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.requests.append((handler.command, handler.path, handler.headers, read.decode()))
                handler.send_response(status)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_port}"


@contextmanager
def gateway(status=200, body=b""):
    """One that answers so, for the block."""
    found = Gateway(status, body)
    thread = Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        joined(thread)


def test_a_job_leaves_its_figures_in_the_file(registry, rows, tmp_path):
    """Those of its work alone: not of a process and a host that nobody asks after then."""
    file = tmp_path / "import.prom"
    with job(registry, textfile=str(file)):
        rows.labels("bank").inc(5)
        assert not file.exists()
    assert told(file.read_text()) == WORK
    assert [each.name for each in tmp_path.iterdir()] == ["import.prom"]


def test_others_may_read_the_file(registry, rows, tmp_path):
    """Whoever collects the files is another user."""
    file = tmp_path / "import.prom"
    with job(registry, textfile=str(file)):
        pass
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_flush_hands_the_figures_over_amid_the_work(registry, rows, tmp_path):
    """As before an `os._exit`; the end does so once more."""
    file = tmp_path / "import.prom"
    with job(registry, textfile=str(file)):
        rows.labels("bank").inc(5)
        assert flush()
        assert told(file.read_text()) == WORK
        rows.labels("bank").inc()
    assert 'import_rows_total{source="bank"} 6.0' in file.read_text()
    file.unlink()
    assert flush()
    assert not file.exists()


def test_a_job_that_fails_hands_over_what_it_did(registry, rows, tmp_path):
    """Up to its exception."""
    file = tmp_path / "import.prom"
    with suppress(ZeroDivisionError), job(registry, textfile=str(file)):
        rows.labels("bank").inc(5)
        1 / 0  # noqa: B018 - it is the failure
    assert told(file.read_text()) == WORK


def test_a_job_puts_its_figures_to_the_gateway(registry, rows):
    """In the place of those of the run before."""
    with gateway() as found, job(registry, pushgateway_url=f"http://{found.place}/metrics/job/nightly"):
        rows.labels("bank").inc(5)
        flush()
        assert handed_over(registry, "pushgateway") == [1, None]
    ((method, path, headers, body), _) = found.requests
    assert (method, path, told(body)) == ("PUT", "/metrics/job/nightly", WORK)
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert headers["Authorization"] is None


def test_the_user_of_the_url_is_sent_and_not_shown(registry, rows, caplog):
    """As in any URL; percent-encoded where it has to be."""
    with gateway(403) as found:
        url = f"http://cron:a%2Fb@{found.place}/metrics/job/nightly"
        with job(registry, pushgateway_url=url):
            pass
    (request,) = found.requests
    assert request[2]["Authorization"] == f"Basic {b64encode(b'cron:a/b').decode()}"
    assert "a%2Fb" not in caplog.text
    assert f"http://***@{found.place}/metrics/job/nightly" in caplog.text


def test_what_a_gateway_has_against_the_figures_is_logged(registry, rows, caplog):
    """And counted; the job ends as it would."""
    with gateway(400, b"text format parsing error") as found:
        url = f"http://{found.place}/metrics/job/nightly"
        with job(registry, pushgateway_url=url):
            assert not flush()
            assert handed_over(registry, "pushgateway") == [None, 1]
    (first, _) = caplog.messages
    assert first == f"the last figures did not get to {url}: it answered 400 Bad Request: text format parsing error"


def test_a_dead_gateway_costs_no_file(registry, rows, tmp_path, caplog):
    """Each receiver is by itself, and no exception gets into the job."""
    file = tmp_path / "import.prom"
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}/metrics/job/nightly"
        with job(registry, pushgateway_url=url, textfile=str(file)):
            rows.labels("bank").inc(5)
            assert not flush()
            assert (handed_over(registry, "textfile"), handed_over(registry, "pushgateway")) == ([1, None], [None, 1])
    assert told(file.read_text()) == WORK
    assert set(caplog.messages) == {f"the last figures did not get to {url}: Connection refused"}


def test_a_gateway_that_never_answers_is_given_up(registry, rows, monkeypatch, caplog):
    """The end of the job waits no longer than is said."""
    monkeypatch.setattr(handover, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/metrics/job/nightly"
        with job(registry, pushgateway_url=url):
            rows.labels("bank").inc(5)
    until(lambda: caplog.messages)  # its connection is reset: nothing of it is left for the next test


def test_a_folder_that_is_not_there_is_logged(registry, rows, tmp_path, caplog):
    """With the file's name and the reason."""
    file = tmp_path / "none" / "import.prom"
    with job(registry, textfile=str(file)):
        pass
    assert caplog.messages == [f"the last figures did not get to {file}: No such file or directory"]


def test_a_full_disk_leaves_the_figures_that_were_there(registry, rows, tmp_path, monkeypatch):
    """A part of a file would be figures that are wrong."""
    file = tmp_path / "import.prom"
    file.write_text("before 1\n")
    monkeypatch.setattr(os, "fsync", _full)
    with job(registry, textfile=str(file)):
        rows.labels("bank").inc(5)
    assert file.read_text() == "before 1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["import.prom"]


def _full(_):
    raise OSError(28, "No space left on device")


def test_a_forked_child_hands_over_nothing(registry, rows, tmp_path):
    """What it has is not what the job has done."""
    file = tmp_path / "import.prom"
    with job(registry, textfile=str(file)):
        in_child(lambda: rows.labels("bank").inc(100) or flush())
        assert not file.exists()
        rows.labels("bank").inc(5)
    assert told(file.read_text()) == WORK


def test_with_a_directory_of_processes_the_figures_of_all_are_handed_over(registry, rows, tmp_path):
    """Those of a child that ended by `os._exit` too, as it has flushed."""
    file = tmp_path / "import.prom"
    with job(registry, textfile=str(file), processes_dir=str(tmp_path / "group")):
        rows.labels("bank").inc(2)
        in_child(lambda: rows.labels("bank").inc(3) or flush())
    assert told(file.read_text()) == WORK


def test_a_job_serves_nothing(registry):
    """It says so where somebody asks for its address, and runs beside others of its kind."""
    with job(registry) as running:
        reason = "serves nothing, as its setting serve is off"
        with pytest.raises(ConfigError, match=rf"^this Manometer {reason}$"):
            _ = running.url
        with pytest.raises(ConfigError, match=f"this Manometer is running and {reason}; close it first"):
            running.start()
        assert running.reload(Settings(serve=False, collector_timeout=1))
    with pytest.raises(ConfigError, match="is not running"):
        _ = running.url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("textfile", "/var/lib/node_exporter/import.txt"),
        ("textfile", ".prom"),
        ("pushgateway_url", "http://gateway:9091"),
        ("pushgateway_url", "http://gateway:9091/metrics/job/"),
        ("pushgateway_url", "gateway:9091/metrics/job/nightly"),
        ("pushgateway_url", "http://gateway:9091/metrics/job/nightly?a=b"),
    ],
)
def test_what_could_not_work_is_refused(name, value):
    """Before the job runs, which may take hours."""
    with pytest.raises(ConfigError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway:9091/metrics/job/nightly",
        "https://a:b@gateway/prefix/metrics/job/nightly/instance/one",
        "http://gateway:9091/metrics/job@base64/YQ/path@base64/L3Zhci90bXA",
        "http://gateway:8428/api/v1/import/prometheus/metrics/job/nightly",
    ],
)
def test_each_form_of_a_group_s_url_is_taken(url):
    """Those of the Pushgateway's own documentation, and of VictoriaMetrics."""
    assert Settings(pushgateway_url=url).pushgateway_url == url


def test_a_program_that_ends_hands_over(tmp_path):
    """`start` closes at the end of the program, also after an exception."""
    file = tmp_path / "import.prom"
    script = f"""
import manometer
manometer.start(serve=False, textfile={str(file)!r})
manometer.Counter("import_rows", "Rows that the import has read.", ["source"]).labels("bank").inc(5)
raise SystemExit(3)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert told(file.read_text()) == WORK
