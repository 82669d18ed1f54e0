"""Prometheus's own tool for rules, of version 2 and, where one is on the path, of version 3."""

import shutil
import subprocess

import pytest

from waiting import DEADLINE

both_versions = pytest.mark.parametrize("name", ["promtool", "promtool3"])


def promtool(name, *arguments):
    """Run a promtool; its output where it fails. `promtool3` is that of a Prometheus 3."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed; docs/contributing.md says where it comes from")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=3 * DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
