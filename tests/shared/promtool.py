"""Prometheus's own tool for rules, of version 2 and, where one is on the path, of version 3."""

import shutil
import subprocess

import pytest

from waiting import DEADLINE

OF_3 = "promtool3"
"""That of a Prometheus 3: Debian 12 has none, and docs/contributing.md says where it comes from."""

_found = [OF_3] if shutil.which(OF_3) else []
each_version = pytest.mark.parametrize("name", ["promtool", *_found])
only_on_3 = pytest.mark.parametrize(
    "name", _found or [pytest.param(OF_3, marks=pytest.mark.skip(reason=f"no {OF_3}"))]
)


def promtool(name, *arguments):
    """Run a promtool; its output where it fails."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
