"""Real pre-fork servers: any worker's /metrics shows them all, whatever becomes of each."""

import http.client
import os
import random
import re
import signal
import sys
import threading
import time
from collections import Counter as Tally
from pathlib import Path

import pytest

from groups import serving
from waiting import joined, until

pytestmark = pytest.mark.servers

ENDED = ["ended-copy.manometer", "ended.manometer"]
"""The files of those that ended."""

WORK = """
import os
import manometer

served = manometer.Counter("served", "Answers.", ["path"])
took = manometer.Histogram("took", "Each takes one.", buckets=(0.5, 1, 2))
busy = manometer.Gauge("busy", "Workers.", multiprocess_mode="livesum")
busy.set(1)
pool = manometer.Gauge("pool", "Of each process.", multiprocess_mode="livesum")
pool.set_function(lambda: 1)
served.labels("warm-up").inc(int(os.environ.get("WARM_UP", 0)))

def work(path):
    served.labels(path).inc()
    took.observe(1)
    return str(os.getpid()).encode()
"""
DECORATED = """
from wsgi import app
import uwsgidecorators  # takes uWSGI's hook for itself

@uwsgidecorators.postfork
def forked():
    print("forked", flush=True)
"""
CONFIG = """
import manometer

def on_starting(server):
    server.log.info("Figures at: %s", manometer.start(port=0).url)
"""


PYTHON = (sys.executable, "-m")


def gunicorn(path, *options, **environment):
    """gunicorn with three workers."""
    command = (*PYTHON, "gunicorn", "-w", "3", "-b", "127.0.0.1:0", "--no-control-socket", *options, "wsgi:app")
    return serving(path, WORK, r"Listening at: http://127\.0\.0\.1:(\d+)", *command, **environment)


def uwsgi(path, *options, module="wsgi", **environment):
    """uWSGI with three workers."""
    program_of_uwsgi = Path(sys.executable).with_name("uwsgi")
    if not program_of_uwsgi.exists():
        pytest.skip("not installed: uwsgi (python tests/servers.py)")
    (path / "decorated.py").write_text(DECORATED)
    command = (str(program_of_uwsgi), "--http-socket", "127.0.0.1:0", "--die-on-term", "-p", "3")
    listening = r"bound to TCP address 127\.0\.0\.1:(\d+)"
    return serving(path, WORK, listening, *command, "--module", f"{module}:app", *options, **environment)


class Load:
    """Requests from four clients, and what came of each."""

    def __init__(self, server, requests):
        self.server = server
        self.answered = []  # when, and by which process
        self.unanswered = 0  # which may have been counted, or not
        self._left = iter(range(requests))
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]

    def _send(self):
        for _ in self._left:
            try:
                pid = int(self.server.get("/work"))
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
            else:
                self.answered.append((time.monotonic(), pid))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        joined(*self._threads)

    @property
    def going_on(self):
        """Whether there are requests left to send."""
        return any(thread.is_alive() for thread in self._threads)


class Watch:
    """Scrapes without a pause, and notes every figure that fell."""

    TOTALS = (("served_total", "/work"), ("took_count",), ("took_sum",), ("took_bucket", "+Inf"))

    def __init__(self, server):
        self.server = server
        self.falls, self.torn, self.scrapes = [], [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._scrape)

    def _scrape(self):
        shown = Tally()
        while not self._stop.is_set():
            try:
                found = self.server.samples()
            except (OSError, http.client.HTTPException):
                continue
            self.scrapes += 1
            now = {key: found.get(key, 0) for key in self.TOTALS}
            self.falls += [(key, shown[key], now[key]) for key in now if now[key] < shown[key]]
            if len({now[key] for key in self.TOTALS[1:]}) > 1:
                self.torn.append(now)
            shown.update({key: now[key] - shown[key] for key in now})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        joined(self._thread)


def test_gunicorn_workers_killed_and_recycled_under_load(tmp_path):
    """No total ever falls; at the end all is there but, at most, the last second of those that were killed."""
    random.seed(7)
    at_risk = 0
    with gunicorn(tmp_path, "--max-requests", "150", "--max-requests-jitter", "50") as server:
        with Watch(server) as watch, Load(server, 3000) as load:
            for kills in range(1, 6):
                until(lambda kills=kills: len(load.answered) > 400 * kills or not load.going_on, server.log.read_text)
                _, victim = load.answered[-random.randint(1, 20)]
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:  # it was recycled meanwhile
                    continue
                killed = time.monotonic()
                until(lambda victim=victim: not Path(f"/proc/{victim}").exists(), server.log.read_text)
                # A second's work, and more on a machine so full that the thread that writes has no turn.
                at_risk += sum(pid == victim and when > killed - 5 for when, pid in load.answered)
        assert watch.scrapes > 3
        assert (watch.falls, watch.torn) == ([], [])
        sent = len(load.answered)

        expected = range(sent - at_risk, sent + load.unanswered + 1)

        def settled():
            found = server.samples()
            three = found["manometer_processes",] == found["busy",] == 3 and len(server.names) <= 3 + len(ENDED)
            return found if three and found["served_total", "/work"] in expected else None

        found = until(settled, lambda: f"{expected} {server.samples()} {server.names}")
        assert len({pid for _, pid in load.answered}) > 8
        assert found["took_count",] == found["took_bucket", "1.0"] == found["served_total", "/work"]
        assert server.log.read_text().count("SIGKILL") >= 1
        assert len({key[1] for key in found if key[0] == "process_resident_memory_bytes"}) == 3
    # What ended well has written all it had: a last look finds no less, in one file.
    command = (*PYTHON, "manometer", "serve", "--port", "0")
    with serving(tmp_path, WORK, r"http://127\.0\.0\.1:(\d+)/", *command) as onlooker:
        last = onlooker.samples()
        assert found["served_total", "/work"] <= last["served_total", "/work"] <= sent + load.unanswered
        assert last["manometer_processes",] == 0
        assert sorted(onlooker.names) == ENDED
    assert onlooker.process.returncode == 0


def test_gunicorn_s_master_may_serve_for_its_workers(tmp_path):
    """Started once before the fork, it is a port of its own, and every worker joins by itself."""
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    with gunicorn(tmp_path, "--preload") as server:
        found = re.search(r"Figures at: http://127\.0\.0\.1:(\d+)", server.log.read_text())
        master = server._replace(port=int(found[1]))
        with Load(server, 60) as load:
            pass
        until(lambda: master.samples().get(("served_total", "/work")) == 60 == len(load.answered))
        until(lambda: master.samples()["manometer_processes",] == 1 + 3)
        figures = master.samples()
        assert figures["served_total", "/work"] == server.samples()["served_total", "/work"]
        memory = {key[1] for key in figures if key[0] == "process_resident_memory_bytes"}
        assert {str(pid) for _, pid in load.answered} < memory
        assert str(server.process.pid) in memory


def test_gunicorn_s_idle_master_is_not_summed_in(tmp_path):
    """It has a pool of its own, to which no request ever comes. What it counted and set is there once."""
    with gunicorn(tmp_path, "--preload", WARM_UP="10") as server:
        until(lambda: server.samples()["manometer_processes",] == 1 + 3)
        found = server.samples()
        assert (found["pool",], found["busy",], found["served_total", "warm-up"]) == (3, 1, 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up its rights")
def test_workers_that_may_not_write_fail_every_scrape(tmp_path):
    """As of gunicorn's option `--user`, where the master made the directory: a 0 would be false."""
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    with gunicorn(tmp_path, "--preload", "--user", "65534") as server:
        found = re.search(r"Figures at: http://127\.0\.0\.1:(\d+)", server.log.read_text())
        master = server._replace(port=int(found[1]))
        assert server.get("/work").isdigit()
        for asked in (server, master):
            until(lambda asked=asked: "cannot write its figures to" in asked.get("/metrics"), server.log.read_text)
        assert "Permission denied" in server.log.read_text()


def test_uvicorn_workers_show_each_other(tmp_path):
    """An ASGI application needs no more than to be mounted."""
    options = (*PYTHON, "uvicorn", "--workers", "2", "--port", "0", "asgi:app")
    with serving(tmp_path, WORK, r"running on http://127\.0\.0\.1:(\d+)", *options) as server:
        until(lambda: server.log.read_text().count("startup complete") == 2, server.log.read_text)
        with Load(server, 60) as load:
            pass
        assert len(load.answered) == 60
        until(lambda: server.samples().get(("served_total", "/work")) == 60)
        assert server.samples()["manometer_processes",] == 2
        os.kill(load.answered[0][1], signal.SIGKILL)
        until(lambda: server.samples()["manometer_processes",] == 2 and len(server.names) == 2 + len(ENDED))
        assert server.samples()["served_total", "/work"] == 60


@pytest.mark.parametrize(
    "options",
    [
        ["--master"],
        [],
        ["--master", "--lazy-apps"],
        pytest.param(
            ["--master", "--py-call-osafterfork"],
            marks=pytest.mark.skipif(sys.version_info >= (3, 13), reason="any worker of uWSGI 2.0.31 crashes there"),
        ),
        ["--master", "--py-call-uwsgi-fork-hooks"],
        ["--master", "--enable-threads"],
        ["--master", "--enable-threads", "--threads", "2"],
    ],
    ids=" ".join,
)
def test_uwsgi_workers_show_each_other(tmp_path, options):
    """It forks them in C, by default without Python's hooks; no scrape shows less than the one before."""
    answered = []

    def several_answer():  # on a busy machine, one worker may have answered all before another begins
        with Load(server, 200) as load:
            pass
        answered.extend(pid for _, pid in load.answered)
        return len({*answered}) > 1

    with uwsgi(tmp_path, *options) as server:
        with Watch(server) as watch:
            until(several_answer)
        assert len(answered) % 200 == 0
        until(lambda: server.samples().get(("served_total", "/work")) == len(answered))
        found = until(lambda: (now := server.samples())["manometer_processes",] == 3 and now)
        assert (watch.falls, watch.torn) == ([], [])
        assert found["took_count",] == found["took_sum",] == len(answered)
        memory = {key[1] for key in found if key[0] == "process_resident_memory_bytes"}
        assert len(memory) == 3
        assert {*map(str, answered)} <= memory


def test_what_uwsgi_s_master_counts_as_it_loads_is_counted_once(tmp_path):
    """Its first worker goes on with that, a worker that is made later does not; the master itself is not shown."""
    with uwsgi(tmp_path, "--master", WARM_UP="10") as server:
        until(lambda: server.samples()["manometer_processes",] == 3)
        assert server.samples()["served_total", "warm-up"] == 10
        assert server.samples()["busy",] == 1
        first = int(server.get("/work"))
        os.kill(first, signal.SIGKILL)
        until(lambda: server.log.read_text().count("spawned uWSGI worker") == 4, server.log.read_text)
        until(lambda: len({server.get("/work") for _ in range(20)}) == 3)
        until(lambda: server.samples()["manometer_processes",] == 3)
        assert server.samples()["served_total", "warm-up"] == 10


def test_uwsgi_workers_without_our_hook_show_each_other(tmp_path):
    """Where another hook took its place, they notice late, and have their own files and figures all the same."""
    with uwsgi(tmp_path, "--master", module="decorated") as server:
        with Load(server, 100) as load:
            pass
        assert len(load.answered) == 100
        until(lambda: server.samples().get(("served_total", "/work")) == 100)
        until(lambda: server.samples()["manometer_processes",] == 3)
        assert server.log.read_text().count("forked\n") == 3
