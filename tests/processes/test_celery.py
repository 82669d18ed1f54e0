"""A real Celery worker with the prefork pool: no end of a process costs a task or a figure."""

import http.client
import json
import re
import subprocess
import sys
from contextlib import closing, contextmanager
from importlib.util import find_spec
from urllib.parse import urlsplit

import pytest

from groups import samples, under_way
from manometer.exposition.render import render
from manometer.processes import onlooker
from redis_server import redis_server
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

TASKS = """
import logging, os, time
from pathlib import Path

import manometer
from celery import Celery
from celery.signals import (
    setup_logging, worker_init, worker_process_shutdown, worker_ready, worker_shutting_down
)

here = Path(__file__).parent
app = Celery("tasks", broker=f"redis+socket://{here / 'redis.sock'}")
app.conf.worker_prefetch_multiplier = 1
sent = manometer.Counter("sent", "Messages.", ["kind"])
life = manometer.lifecycle()


@worker_init.connect
def serve(**_):
    life.starting()
    print("Figures at:", manometer.start(port=0, logs=True).url, flush=True)


@setup_logging.connect
def leave_logging(**_):
    pass


@worker_ready.connect
def ready(**_):
    life.ready()


@worker_shutting_down.connect
def stop(**_):
    life.stopping()


@worker_process_shutdown.connect
def write(**_):
    manometer.flush()


@app.task
@manometer.stage("send", engine="mail")
def send(kind):
    if kind == "slow":
        (here / "begun").touch()
        while not (here / "may").exists():
            time.sleep(0.01)
        logging.getLogger("mail").warning("sent %s", kind)
    sent.labels(kind).inc()
"""


@pytest.fixture
def folder(tmp_path, program):
    """A folder with the tasks, and with the socket of a Redis server as their broker."""
    if find_spec("celery") is None:
        pytest.skip("not installed: celery (python tests/servers.py)")
    (tmp_path / "tasks.py").write_text(TASKS)
    with redis_server(tmp_path, program("redis-server", "redis-server")):
        yield tmp_path


@contextmanager
def _worker(path, *given):
    """Celery's worker with two processes, and the address of its figures."""
    quietly = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    options = ("--pool", "prefork", "-c", "2", *quietly, *given)
    command = (sys.executable, "-m", "celery", "-A", "tasks", "worker", *options)
    with under_way(path, *command, C_FORCE_ROOT="1") as (process, log):
        yield process, until(lambda: re.search(r"Figures at: (\S+)", log.read_text()), log.read_text)[1]


def _send(path, *kinds):
    """Put tasks into the queue, from a process of its own: Celery keeps much that is global."""
    program = f"from tasks import send\nfor kind in {kinds!r}: send.delay(kind)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=path, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr


def _get(url, path):
    """Status and text of an answer."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _sent(text):
    return {
        kind: value for (name, *labels), value in samples(text).items() if name == "sent_total" for kind in labels
    }


def _left(path):
    """The figures of the directory when all is over."""
    return render(onlooker(path / "group"))[0].decode()


def test_a_task_that_the_end_meets_is_done_and_counted(folder):
    """SIGTERM is Celery's warm shutdown; the main process shows the children's figures until it ends."""
    with _worker(folder) as (process, url):

        def shown():
            return _sent(_get(url, "/metrics")[1])

        until(lambda: _get(url, "/readyz")[0] == 200)
        _send(folder, *["quick"] * 20)
        until(lambda: shown() == {"quick": 20}, (folder / "log").read_text)
        _send(folder, "slow")
        until((folder / "begun").exists, (folder / "log").read_text)
        process.terminate()
        until(lambda: _get(url, "/readyz") == (503, "the program is stopping\nnot ready\n"))
        assert "Warm shutdown" in (folder / "log").read_text()
        assert shown() == {"quick": 20}
        (folder / "may").touch()
        assert process.wait(DEADLINE) == 0
    figures = _left(folder)
    assert _sent(figures) == {"quick": 20, "slow": 1}
    assert 'engine_stage_duration_seconds_count{engine_name="mail",engine_stage_name="send"' in figures


def test_the_lines_of_a_task_are_json_and_come_once(folder):
    """Celery sets up its own logging unless somebody listens to the signal for that."""
    (folder / "may").touch()
    with _worker(folder) as (process, url):
        until(lambda: _get(url, "/readyz")[0] == 200)
        _send(folder, "slow")
        until(lambda: _sent(_get(url, "/metrics")[1]) == {"slow": 1}, (folder / "log").read_text)
        process.terminate()
        assert process.wait(DEADLINE) == 0
    lines = [line for line in (folder / "log").read_text().splitlines() if "sent slow" in line]
    (line,) = map(json.loads, lines)
    assert (line["logger"], line["level"], line["event"]) == ("mail", "warning", "sent slow")


def test_processes_that_end_after_some_tasks_lose_none(folder):
    """Celery ends each process after seven tasks, amid the work, and the rest when it is told to end."""
    with _worker(folder, "--max-tasks-per-child", "7") as (process, url):
        until(lambda: _get(url, "/readyz")[0] == 200)
        _send(folder, *["quick"] * 200)
        until(lambda: _sent(_get(url, "/metrics")[1]) == {"quick": 200}, (folder / "log").read_text)
        process.terminate()
        assert process.wait(DEADLINE) == 0
    assert _sent(_left(folder)) == {"quick": 200}
    assert sorted(file.name for file in (folder / "group").iterdir()) == ["ended-copy.manometer", "ended.manometer"]
