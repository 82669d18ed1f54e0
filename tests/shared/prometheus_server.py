"""A Prometheus that scrapes nothing: what it holds, a test has given it."""

import shutil
import subprocess
import urllib.request
from contextlib import contextmanager

import pytest

from ports import reserved_port
from waiting import DEADLINE, until


@contextmanager
def prometheus_server(folder, *options, env=None):
    """Its address and process id, once it answers. Its data are in the folder's `data`. Skips where there is none.

    options: of its command line; env: its environment.
    """
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("not installed: prometheus (apt-get install prometheus)")
    (folder / "prometheus.yml").write_text("{}")
    with reserved_port() as port, (folder / "log").open("wb") as log:
        command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=env)
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: _ready(url), (folder / "log").read_text)
            yield url, server.pid
        finally:
            server.terminate()
            server.wait(DEADLINE)


def _ready(url):
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=DEADLINE) as answer:
            return answer.status == 200
    except OSError:
        return False
