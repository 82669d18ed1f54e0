"""Real servers that are told to end: what is under way is answered, and the last figures are all there."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from manometer.exposition.render import render
from manometer.processes import onlooker
from waiting import DEADLINE, joined, until

pytestmark = pytest.mark.servers

WORK = """
import os, time
from pathlib import Path
import manometer

done = manometer.Counter("done", "Answers that were made.", ["path"])

def work(path):
    if path == "/slow":
        Path("begun").touch()
        while not Path("may").exists():
            time.sleep(0.01)
    if path != "/pid":
        done.labels(path).inc()
    return str(os.getpid()).encode() if path == "/pid" else b"done"
"""
WSGI = """
from work import manometer, work
metrics = manometer.wsgi_app()

def app(environ, start_response):
    if environ["PATH_INFO"] == "/metrics":
        return metrics(environ, start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [work(environ["PATH_INFO"])]
"""
ASGI = """
import asyncio
from work import manometer, work
metrics = manometer.asgi_app()

async def app(scope, receive, send):
    if scope["type"] == "lifespan" or scope["path"] == "/metrics":
        return await metrics(scope, receive, send)
    body = await asyncio.to_thread(work, scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


class Program:
    """A server under way, and requests to it."""

    def __init__(self, process, port):
        self.process, self.port, self._met = process, port, set()

    def get(self, path):
        """What it answers; OSError or HTTPException where it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def met(self):
        """How many workers have answered so far; a signal may miss one that has only begun."""
        with suppress(OSError, http.client.HTTPException):
            self._met.add(self.get("/pid"))
        return len(self._met)


@contextmanager
def program(path, listening, *command):
    """Run a server until the end of the block; `listening` finds its port in its log."""
    for name, text in (("work", WORK), ("wsgi", WSGI), ("asgi", ASGI)):
        (path / f"{name}.py").write_text(text)
    log = path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=path,
            env=os.environ | {"MANOMETER_PROCESSES_DIR": str(path / "group"), "PYTHONPATH": str(path)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        found = until(lambda: re.search(listening, log.read_text()) or process.poll(), log.read_text)
        yield Program(process, int(found[1]))
    finally:
        (path / "may").touch()
        process.terminate()
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def gunicorn(path, *options):
    """gunicorn with two workers."""
    command = (sys.executable, "-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0", "--no-control-socket", *options)
    return program(path, r"Listening at: http://127\.0\.0\.1:(\d+)", *command, "wsgi:app")


def uvicorn(path, *options):
    """uvicorn, by default with one worker, which is the server itself."""
    command = (sys.executable, "-m", "uvicorn", "--port", "0", *options, "asgi:app")
    return program(path, r"running on http://127\.0\.0\.1:(\d+)", *command)


def uwsgi(path, *options):
    """uWSGI with two workers, told to end them gracefully: by itself it kills them at SIGTERM."""
    server = Path(sys.executable).with_name("uwsgi")
    if not server.exists():
        pytest.skip("not installed: uwsgi (python tests/servers.py)")
    graceful = ("--master", "--hook-master-start", "unix_signal:15 gracefully_kill_them_all")
    command = (str(server), "--http-socket", "127.0.0.1:0", *graceful, "-p", "2", *options)
    return program(path, r"bound to TCP address 127\.0\.0\.1:(\d+)", *command, "--module", "wsgi:app")


def _done(path):
    """What all that have ended counted, by the path of the requests."""
    text = render(onlooker(path / "group"))[0].decode()
    return {
        sample.labels["path"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "done_total"
    }


@pytest.mark.parametrize(
    ("server", "options", "workers", "status"),
    [
        (gunicorn, [], 2, 0),
        (gunicorn, ["-k", "gthread", "--threads", "4"], 2, 0),
        (gunicorn, ["--preload"], 2, 0),
        (uvicorn, [], 1, -signal.SIGTERM),
        (uvicorn, ["--workers", "2"], 2, 0),
        (uwsgi, [], 2, 0),
        (uwsgi, ["--enable-threads", "--threads", "2"], 2, 0),
        (uwsgi, ["--lazy-apps"], 2, 0),
    ],
    ids=lambda value: value.__name__ if callable(value) else " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_under_way_is_answered_and_counted(tmp_path, server, options, workers, status):
    """A request that SIGTERM meets is answered; what it counts is in the directory, with all that came before."""
    answers = []
    with server(tmp_path, *options) as under_way:
        until(lambda: under_way.met() >= workers, (tmp_path / "log").read_text)
        for _ in range(20):
            under_way.get("/fast")
        client = threading.Thread(target=lambda: answers.append(under_way.get("/slow")))
        client.start()
        until((tmp_path / "begun").exists, (tmp_path / "log").read_text)
        under_way.process.terminate()
        (tmp_path / "may").touch()
        joined(client)
        assert under_way.process.wait(DEADLINE) == status
    assert answers == ["done"]
    until(
        lambda: _done(tmp_path) == {"/fast": 20, "/slow": 1},
        lambda: f"{_done(tmp_path)} {(tmp_path / 'log').read_text()}",
    )
