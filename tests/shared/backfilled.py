"""A real Prometheus over samples of the tests' own, as if it had scraped them until now."""

import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest

from ports import reserved_port
from waiting import until


def counting(a_second, start=0.0):
    """A counter that grows steadily, as a function of the seconds since the first sample."""
    return lambda seconds: start + a_second * seconds


def steady(value):
    """A gauge that stays where it is."""
    return lambda seconds: value


@contextmanager
def backfilled(folder, series, *, seconds=4200, step=15):
    """The address of a Prometheus that holds these series: by selector, the value at each second since the first.

    A function returns None where there is no sample. seconds: how far the past reaches back; step: between two
    samples.
    """
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install prometheus)")
    now = int(time.time())
    times = range(0, seconds + 1, step)
    lines = [
        f"{selector} {value(at)!r} {now - seconds + at}"
        for selector, value in sorted(series.items())
        for at in times
        if value(at) is not None
    ]
    (folder / "samples").write_text("\n".join([*lines, "# EOF", ""]))
    data = folder / "data"
    promtool = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples"), str(data)]
    made = subprocess.run(promtool, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    (folder / "prometheus.yml").write_text("{}")
    with reserved_port() as port, (folder / "log").open("wb") as log:
        command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: _ready(url), (folder / "log").read_text)
            yield url
        finally:
            server.terminate()
            server.wait()


def _ready(url):
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return True
    except OSError:
        return False
