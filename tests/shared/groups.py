"""Programs of several processes under way, and small web applications for the servers among them."""

import http.client
import os
import re
import signal
import subprocess
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from waiting import DEADLINE, until

__all__ = ["Server", "samples", "serving", "under_way"]

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


class Server(NamedTuple):
    """A server under way. port: where it answers; log: what it has written so far; files: the group's directory."""

    process: subprocess.Popen
    port: int
    log: Path
    files: Path

    def get(self, path):
        """What one worker answers; OSError or HTTPException where it went away."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    @property
    def names(self):
        """The names of the group's files."""
        return [path.name for path in self.files.iterdir()]

    def samples(self):
        """The figures at any one worker."""
        return samples(self.get("/metrics"))


def samples(text):
    """The value of each sample, by name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def under_way(folder, *command, **environment):
    """Run a program in the folder until the end of the block, whose children end with it; its process and its log.

    They share their figures in `group` there. The file `may` there is made at the end, for who waits for that.
    """
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"MANOMETER_PROCESSES_DIR": str(folder / "group")} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        (folder / "may").touch()
        process.terminate()
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):  # without a master, uWSGI's workers outlive the first of them
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def serving(folder, work, listening, *command, **environment):
    """Run a web server for `wsgi:app` or `asgi:app` until the end of the block.

    work: the text of a module `work`, which imports manometer and has a function `work` that gives the answer to a
    path; listening: finds the port in the server's log.
    """
    for name, text in (("work", work), ("wsgi", WSGI), ("asgi", ASGI)):
        (folder / f"{name}.py").write_text(text)
    with under_way(folder, *command, **environment) as (process, log):
        found = until(lambda: re.search(listening, log.read_text()) or process.poll(), log.read_text)
        assert not isinstance(found, int), log.read_text()
        yield Server(process, int(found[1]), log, folder / "group")
