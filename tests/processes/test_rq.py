"""RQ ends the process of a job by `os._exit`: a flush before that is all that there is, and all that it takes."""

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from manometer import render
from manometer.processes import onlooker
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

JOBS = """
import manometer

done = manometer.Counter("jobs_done", "Jobs.", ["queue"])


def job(amount):
    done.labels("default").inc(amount)
"""
WORKER = """
import sys
import manometer
import jobs
from redis import Redis
from rq import Queue, Worker

directory, socket = sys.argv[1:]


class FlushingWorker(Worker):
    def perform_job(self, *args, **kwargs):
        try:
            return super().perform_job(*args, **kwargs)
        finally:
            manometer.flush()


connection = Redis(unix_socket_path=socket)
queue = Queue(connection=connection)
for amount in (1, 10, 100):
    queue.enqueue(jobs.job, amount)
with manometer.start(port=0, processes_dir=directory):
    FlushingWorker([queue], connection=connection).work(burst=True, logging_level="WARNING")
"""


@pytest.fixture
def redis(tmp_path, program):
    """The socket of a Redis server."""
    socket = tmp_path / "redis.sock"
    command = [program("redis-server", "redis-server"), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path) as server:
        try:
            until(socket.exists, lambda: f"Redis does not come up: {server.poll()}")
            yield socket
        finally:
            server.terminate()


def test_no_figure_of_a_job_is_lost(tmp_path, redis):
    """Three jobs, each in a process of its own that is gone at once; none has a file left of its own."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "worker.py").write_text(WORKER)
    group = tmp_path / "group"
    subprocess.run([sys.executable, "worker.py", str(group), str(redis)], cwd=tmp_path, timeout=DEADLINE, check=True)
    text = render(onlooker(group))[0].decode()
    (total,) = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "jobs_done_total"
    ]
    assert total == 111
    assert sorted(file.name for file in group.iterdir()) == ["ended-copy.manometer", "ended.manometer"]
