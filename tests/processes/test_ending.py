"""Real servers that are told to end: what is under way is answered, and the last figures are all there."""

import http.client
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from groups import samples, serving
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


def gunicorn(path, *options):
    """gunicorn with two workers."""
    command = (sys.executable, "-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0", "--no-control-socket", *options)
    return serving(path, WORK, r"Listening at: http://127\.0\.0\.1:(\d+)", *command, "wsgi:app")


def uvicorn(path, *options):
    """uvicorn, by default with one worker, which is the server itself."""
    command = (sys.executable, "-m", "uvicorn", "--port", "0", *options, "asgi:app")
    return serving(path, WORK, r"running on http://127\.0\.0\.1:(\d+)", *command)


def uwsgi(path, *options):
    """uWSGI with two workers, told to end them gracefully: by itself it kills them at SIGTERM."""
    server = Path(sys.executable).with_name("uwsgi")
    if not server.exists():
        pytest.skip("not installed: uwsgi (python tests/servers.py)")
    graceful = ("--master", "--hook-master-start", "unix_signal:15 gracefully_kill_them_all")
    command = (str(server), "--http-socket", "127.0.0.1:0", *graceful, "-p", "2", *options)
    return serving(path, WORK, r"bound to TCP address 127\.0\.0\.1:(\d+)", *command, "--module", "wsgi:app")


def _done(path):
    """What all that have ended counted, by the path of the requests."""
    text = render(onlooker(path / "group"))[0].decode()
    return {
        path: value for (name, *labels), value in samples(text).items() if name == "done_total" for path in labels
    }


def _meets_another(server, met):
    """How many workers have answered so far; a signal may miss one that has only begun."""
    with suppress(OSError, http.client.HTTPException):
        met.add(server.get("/pid"))
    return len(met)


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
        met = set()
        until(lambda: _meets_another(under_way, met) >= workers, (tmp_path / "log").read_text)
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
