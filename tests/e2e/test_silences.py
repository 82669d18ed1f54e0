"""The commands of docs/operations.md for silences, on a real Alertmanager."""

import json
import subprocess
import time

import pytest

from waiting import DEADLINE

pytestmark = pytest.mark.servers

URL = "http://127.0.0.1:9093"


def test_the_commands_for_silences_do_what_the_page_says(world, root, program, tmp_path):
    """A silence is made, found, kept in a file, ended and put back; each command as it stands there."""
    program("amtool", "prometheus-alertmanager")
    page = (root / "docs" / "operations.md").read_text()
    add, query, expire, export, put_back = [
        line.strip().replace(URL, world.stack.alertmanager_url)
        for line in page.splitlines()
        if line.startswith("    amtool ")
    ]

    def run(command):
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "USER": "on-call", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    number = run(add).strip()
    assert number in run(query)
    assert "on-call" in run(query)
    run(export)
    (kept,) = json.loads((tmp_path / "silences.json").read_text())
    assert {each["name"]: each["value"] for each in kept["matchers"]} == {
        "alertname": "PoolSaturated",
        "pool_name": "orders",
    }
    assert kept["endsAt"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    run(expire)
    assert number not in run(query)
    run(put_back)
    assert "on-call" in run(query)
    run(expire)
