"""A real Prometheus over samples of the tests' own, as if it had scraped them until now."""

import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest

from prometheus_server import prometheus_server


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
    if shutil.which("promtool") is None:
        pytest.skip("not installed: promtool (apt-get install prometheus)")
    now = int(time.time())
    times = range(0, seconds + 1, step)
    lines = [
        f"{selector} {value(at)!r} {now - seconds + at}"
        for selector, value in sorted(series.items())
        for at in times
        if value(at) is not None
    ]
    (folder / "samples").write_text("\n".join([*lines, "# EOF", ""]))
    promtool = [
        "promtool",
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(folder / "samples"),
        str(folder / "data"),
    ]
    made = subprocess.run(promtool, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    with prometheus_server(folder) as (url, _):
        yield url
