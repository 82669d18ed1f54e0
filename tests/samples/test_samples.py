"""The samples of docs/samples: each is accepted by its validator, and those that can be run are run."""

import http.client
import os
import re
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
UNITS = sorted((SAMPLES / "systemd").glob("*.service"))
MANIFESTS = sorted((SAMPLES / "kubernetes").glob("*.yaml"))
BIN = "/opt/shop/venv/bin/"


def _unit(path):
    """The settings of a unit; several of a name as a list."""
    found = {}
    for line in path.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_unit(program, tmp_path, unit):
    """Without a word: where a name or a value is wrong, it warns. The programs of the shop are not there."""
    analyze = program("systemd-analyze", "systemd")
    for other in UNITS:  # which they name
        text = other.read_text()
        for name in re.findall(rf"{BIN}(\S+)", text):
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)
        (tmp_path / other.name).write_text(text.replace(BIN, f"{tmp_path}/"))
    command = [analyze, "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_leaves_time_to_end(unit):
    """systemd kills what has not ended in time: so its patience is longer than the drain time."""
    settings = _unit(unit)
    environment = dict(each.split("=", 1) for each in settings.get("Environment", ()))
    (stop,) = settings["TimeoutStopSec"]
    assert int(stop) > float(environment.get("MANOMETER_DRAIN_TIME", 0))
    assert ("WatchdogSec" in settings) <= (settings["Type"] == ["notify"])


def _documents():
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            yield pytest.param(document, id=f"{path.name}-{document['kind']}")


@pytest.mark.parametrize("document", [*_documents()])
def test_kubernetes_accepts_the_manifest(document):
    """By its own JSON schema, without a name that it does not know."""
    validate = pytest.importorskip("kubernetes_validate", reason="not installed: kubernetes-validate").validate
    validate(document, "1.34", strict=True)


@pytest.mark.parametrize("document", [each for each in _documents() if each.id.endswith("Deployment")])
def test_a_pod_leaves_time_to_end(document):
    """Kubernetes kills what has not ended within its grace period, the sleep before the signal included."""
    pod = document["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    drained = float(environment.get("MANOMETER_DRAIN_TIME", 0))
    assert pod["terminationGracePeriodSeconds"] > slept + drained > 0
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/startupz", "liveness": "/livez", "readiness": "/readyz"}


def _get(url, path):
    """Status and text of an answer."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@contextmanager
def _running(tmp_path, listening, *command, **environment):
    """A sample under way, and where it listens, by its log."""
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, until(lambda: re.search(listening, log.read_text()), log.read_text)[1]
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(DEADLINE)


SHOP = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
import manometer, shop

started = shop.Shop.__enter__

def busy(self):
    print(manometer.Manometer.running().url + "/", flush=True)
    for number in range(100):
        self.orders.put(f"order {number}")
    return started(self)

shop.Shop.__enter__ = busy
shop.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_shop_packs_what_has_come_in_and_ends_well(tmp_path, number):
    """Ready when all has started; at the end, every order is packed."""
    (tmp_path / "main.py").write_text(SHOP)
    command = (sys.executable, "main.py", str(SAMPLES))
    with _running(tmp_path, r"(http://\S+)/", *command, MANOMETER_PORT="0") as (process, url):
        until(lambda: _get(url, "/readyz")[0] == 200)
        until(lambda: 'engine_name="shop"' in _get(url, "/metrics")[1])
        until(lambda: "packer" in _get(url, "/livez?verbose")[1])
        process.send_signal(number)
        assert process.wait(DEADLINE) == 0
    assert (tmp_path / "log").read_text().count("packed order") == 100


APPLICATION = """
import manometer
application = manometer.wsgi_app()
"""


@pytest.mark.parametrize(
    ("listening", "command"),
    [
        (
            r"Listening at: (http://127\.0\.0\.1:\d+)",
            [sys.executable, "-m", "gunicorn", "--config", SAMPLES / "gunicorn.conf.py", "--bind", "127.0.0.1:0"],
        ),
        (
            r"bound to TCP address (127\.0\.0\.1:\d+)",
            [Path(sys.executable).with_name("uwsgi"), "--http-socket", "127.0.0.1:0", "--ini", SAMPLES / "uwsgi.ini"],
        ),
    ],
    ids=["gunicorn", "uwsgi"],
)
def test_servers_run_by_their_samples(tmp_path, listening, command):
    """All workers share their figures, answer the probes, and end well at SIGTERM."""
    if not Path(command[0]).exists():
        pytest.skip("not installed: uwsgi (python tests/servers.py)")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wsgi.py").write_text(APPLICATION)
    if "gunicorn" in map(str, command):
        command = [*command, "--no-control-socket", "shop.wsgi:application"]
    environment = {"MANOMETER_PROCESSES_DIR": str(tmp_path / "metrics"), "PYTHONPATH": str(tmp_path)}
    with _running(tmp_path, listening, *map(str, command), **environment) as (process, address):
        url = address if "//" in address else f"http://{address}"
        until(lambda: "\nmanometer_processes 3.0\n" in _get(url, "/metrics")[1])
        assert [_get(url, page)[0] for page in ("/startupz", "/livez", "/readyz")] == [200] * 3
        process.terminate()
        assert process.wait(DEADLINE) == 0
