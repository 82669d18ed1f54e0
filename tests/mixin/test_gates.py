"""What fails the build, tried on a copy: `make lint` runs this command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import DEADLINE

ROOT = Path(__file__).parents[2]
KEPT = ("src/manometer", "dashboards", "alert_rules", "docs/runbooks")


def checked(copy):
    """Runs `manometer mixin --check` on the code and the files of a copy."""
    environ = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "manometer", "mixin", "--check"]
    return subprocess.run(
        command, cwd=copy, env=environ, capture_output=True, text=True, timeout=3 * DEADLINE, check=False
    )


@pytest.fixture
def copy(tmp_path):
    """The package and the files that it writes."""
    for name in KEPT:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_copy_that_nobody_touched_passes(copy):
    """So what fails below fails by its change."""
    done = checked(copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "was", "now", "told"),
    [
        (
            "src/manometer/catalogue/cache.py",
            'name="cache.requests"',
            'name="cache.lookups"',
            "alert_rules/cache.yaml differs from what would be written",
        ),
        (
            "src/manometer/catalogue/pool.py",
            'attributes=(*_POOL, "pool.resource.state")',
            "attributes=_POOL",
            "pool.resource.state",
        ),
        ("alert_rules/pool.yaml", "> 0.9", "> 0.95", "alert_rules/pool.yaml differs from what would be written"),
        (
            "dashboards/pool.json",
            '"editable": false',
            '"editable": true',
            "dashboards/pool.json differs from what would be written",
        ),
    ],
    ids=["a renamed metric", "a dropped label", "a hand-edited rule", "a hand-edited dashboard"],
)
def test_the_check_fails_and_says_where(copy, file, was, now, told):
    """Each of them, by itself."""
    text = (copy / file).read_text()
    assert was in text
    (copy / file).write_text(text.replace(was, now))
    done = checked(copy)
    assert done.returncode != 0
    assert told in done.stderr
