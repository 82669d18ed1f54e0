"""RQ ends the process of a job by `os._exit`: what leaves that process before is all that there is."""

import os
import subprocess
import sys

import pytest

from manometer import render
from manometer.processes import onlooker
from otlp_receiver import Receiver
from redis_server import redis_server
from samples import samples
from serving_program import scraped, serving
from waiting import DEADLINE

pytestmark = pytest.mark.servers

JOBS = """
import manometer

done = manometer.Counter("jobs_done", "Jobs.", ["queue"])


@manometer.stage("send", engine="mail")
def job(amount):
    done.labels("default").inc(amount)


def job_by_itself(amount):
    with manometer.Manometer():
        job(amount)
"""
SETTINGS = """
import manometer

manometer.start()
"""
WORKER = """
import os
import sys
import manometer
import jobs
from redis import Redis
from rq import Queue, Worker

socket, recipe, jobs_done = sys.argv[1:]
connection = Redis(unix_socket_path=socket)
queue = Queue(connection=connection)
for amount in range(1, int(jobs_done) + 1):
    queue.enqueue(jobs.job_by_itself if recipe == "job" else jobs.job, amount)
if recipe == "settings":
    command = ("worker", "-c", "settings", "-P", ".", "--burst", "--url", f"unix://{socket}", "-q", "default")
    os.execv(sys.executable, [sys.executable, "-m", "rq.cli", *command])
if recipe == "worker":
    manometer.start()
Worker([queue], connection=connection).work(burst=True, logging_level="WARNING")
"""
JOBS_DONE = 20
ALL = sum(range(1, JOBS_DONE + 1))


@pytest.fixture
def redis(tmp_path, program):
    """The socket of a Redis server."""
    with redis_server(tmp_path, program("redis-server", "redis-server")) as socket:
        yield socket


@pytest.fixture
def work(tmp_path, redis):
    """Has a worker do jobs, each in a process of its own that is gone at once, by one of the recipes."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "worker.py").write_text(WORKER)

    def work(recipe, number=JOBS_DONE, **settings):
        environment = os.environ | {f"MANOMETER_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "worker.py", str(redis), recipe, str(number)]
        subprocess.run(command, cwd=tmp_path, env=environment, timeout=DEADLINE, check=True)

    return work


@pytest.mark.parametrize("recipe", ["worker", "settings", "job"])
def test_no_figure_of_a_job_is_lost(tmp_path, work, recipe):
    """Whether the worker has a Manometer or the job; no process has a file left of its own."""
    group = tmp_path / "group"
    work(recipe, processes_dir=group, serve="false")
    text = render(onlooker(group))[0].decode()
    assert samples(text)["jobs_done_total", ("queue", "default")] == ALL
    assert sorted(file.name for file in group.iterdir()) == ["ended-copy.manometer", "ended.manometer"]


@pytest.mark.parametrize("recipe", ["worker", "settings", "job"])
def test_a_gateway_has_the_totals_of_all_jobs(tmp_path, program, work, recipe):
    """Each that hands its figures over hands over those of the whole directory."""
    name = "prometheus-pushgateway"
    with serving(tmp_path, program(name, name), "--web.listen-address=127.0.0.1:PORT") as url:
        group = f"{url}/metrics/job/mail"
        work(recipe, processes_dir=tmp_path / "group", serve="false", pushgateway_url=group)
        found = samples(scraped(f"{url}/metrics"))
    assert found["jobs_done_total", ("instance", ""), ("job", "mail"), ("queue", "default")] == ALL


def test_the_spans_of_jobs_are_sent(tmp_path, work):
    """Each by the process of its job, before that ends."""
    receiver = Receiver()
    try:
        group = tmp_path / "group"
        work("worker", processes_dir=group, serve="false", otlp_endpoint=receiver.url, metrics_exporter="none")
    finally:
        receiver.close()
    assert [name for _, _, name in receiver.spans].count("send") == JOBS_DONE


def test_a_receiver_that_does_not_answer_costs_no_figure(tmp_path, work):
    """Nor is a job lost."""
    receiver = Receiver()
    receiver.held_up.clear()
    try:
        group = tmp_path / "group"
        work("worker", 3, processes_dir=group, serve="false", otlp_endpoint=receiver.url, metrics_exporter="none")
    finally:
        receiver.close()
    assert samples(render(onlooker(group))[0].decode())["jobs_done_total", ("queue", "default")] == 1 + 2 + 3
