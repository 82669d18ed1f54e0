"""The exporter stands a short run of the fuzzer; `make fuzz` runs longer ones."""

import importlib.util
from pathlib import Path

import pytest

from waiting import DEADLINE

RUN = Path(__file__).parents[1] / "fuzz/run.py"


def _runner():
    spec = importlib.util.spec_from_file_location("fuzz_run", RUN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process takes is read from /proc")
def test_no_request_hurts_the_exporter():
    """Whatever its shape, and whatever the client does with the answer: probes and scrapes go on."""
    found = _runner().fuzz(20261127, requests=100, patience=DEADLINE)
    assert found["requests"] == 4 * 100
