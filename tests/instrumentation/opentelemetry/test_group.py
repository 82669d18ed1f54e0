"""Worker processes of a server show what the meters of all of them have recorded."""

import sys

import pytest

from groups import serving
from waiting import until

WORK = """
import os
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
import manometer

metrics.set_meter_provider(MeterProvider(metric_readers=[manometer.metric_reader()]))
served = metrics.get_meter("shop").create_counter("served")

def work(path):
    served.add(1)
    return str(os.getpid()).encode()
"""


@pytest.mark.servers
def test_the_workers_figures_add_up(tmp_path):
    """Each worker has a provider of its own, and any of them tells the sum."""
    command = (sys.executable, "-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0", "--no-control-socket", "wsgi:app")
    with serving(tmp_path, WORK, r"Listening at: http://127\.0\.0\.1:(\d+)", *command) as running:
        workers, answers = set(), 0
        while len(workers) < 2 or answers < 50:
            workers.add(running.get("/work"))
            answers += 1
        until(lambda: running.samples().get(("served_total", "shop")) == answers, running.samples)
