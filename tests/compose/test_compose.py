"""compose.yaml keeps to the specification of Compose and to what the project promises of it."""

import re
import subprocess
import sys
from itertools import pairwise

import pytest

SERVICES = {"alertmanager", "engine", "grafana", "inbox", "loki", "otelcol", "postgres", "prometheus", "tempo"}


def test_it_is_valid_by_the_compose_specification(files):
    """The specification's own schema accepts the file."""
    path = files.folder / "compose.yaml"
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(check, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_services_are_there(files):
    """The engine, what watches it, its database, and the inbox for alerts."""
    assert set(files.services) == SERVICES


def test_every_image_is_pinned_to_a_version(files):
    """An image has a full version, as has the image that our own is built from."""
    images = {service["image"] for service in files.services.values()}
    dockerfile = (files.folder / "engine" / "Dockerfile").read_text()
    images |= set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    for image in images:
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?", image), image


def test_every_service_tells_its_health_or_why_not(files):
    """A health check with its times, or the reason why the image can run none."""
    for name, service in files.services.items():
        if "x-no-healthcheck" in service:
            assert "healthcheck" not in service
            assert len(service["x-no-healthcheck"]) > 20
        else:
            check = service["healthcheck"]
            assert check["test"][0] == "CMD", name  # no shell is needed
            assert {"interval", "timeout", "retries", "start_period"} <= set(check), name


def test_dependants_wait_for_health_where_it_is_told(files):
    """`service_healthy` for those with a health check; the others can only have started."""
    for service in files.services.values():
        for needed, how in service.get("depends_on", {}).items():
            told = "healthcheck" in files.services[needed]
            assert how["condition"] == ("service_healthy" if told else "service_started")


def test_every_service_starts_again(files):
    """A crash, such as the fault of that name, ends no service for good."""
    assert {service["restart"] for service in files.services.values()} == {"unless-stopped"}


def test_ports_are_open_to_this_machine_alone(files):
    """Each published port is bound to the loopback, and no two are the same."""
    published = [port for service in files.services.values() for port in service.get("ports", [])]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)
    assert len({port.split(":")[1] for port in published}) == len(published)


def test_what_is_mounted_exists(files):
    """Each bind mount is a path of the repository, read only; each volume is declared and used."""
    used = set()
    for name, service in files.services.items():
        for volume in service.get("volumes", []):
            source, _target, *mode = volume.split(":")
            if source.startswith("."):
                assert (files.folder / source).exists(), f"{name}: {source}"
                assert mode == ["ro"], f"{name}: {source}"
            else:
                used.add(source)
    assert used == set(files.compose["volumes"])


def test_there_is_no_secret_in_a_file(files):
    """Nothing in compose/ that looks like a password, a token or a key has a value."""
    secret = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key|credential)\w*['\"]?\s*[:=]\s*\S")
    url = re.compile(r"\w+://[^/\s:@]+:[^/\s@]+@")
    for path in files.folder.rglob("*"):
        if path.is_file():
            text = re.sub(r"(?m)(^|\s)#.*", "", path.read_text(encoding="utf-8"))
            assert not secret.search(text), path
            assert not url.search(text), path


def test_the_database_is_reached_by_the_engine_alone(files):
    """It trusts its network, so that network has two members, no published port and no way out."""
    members = {name for name, service in files.services.items() if "book" in service.get("networks", [])}
    assert members == {"engine", "postgres"}
    assert files.services["postgres"]["networks"] == ["book"]
    assert "ports" not in files.services["postgres"]
    assert files.compose["networks"]["book"]["internal"] is True


@pytest.mark.parametrize("service", ["engine", "inbox"])
def test_our_own_image_has_few_rights(files, service):
    """It cannot write to its file system, and can gain no right that it lacks."""
    ours = files.services[service]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]


def test_our_own_image_is_built_from_what_is_there(files):
    """What is copied exists and is not ignored; versions are pinned; the user is not root."""
    build = files.services["engine"]["build"]
    assert (files.folder / build["context"]).resolve() == files.root
    dockerfile = (files.root / build["dockerfile"]).read_text().replace("\\\n", " ")
    kept = (files.root / f"{build['dockerfile']}.dockerignore").read_text().split()
    for sources in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        for source in sources.split():
            assert (files.root / source).exists(), source
            assert f"!{source}" in kept
    assert "PIP_CONSTRAINT=/app/constraints.txt" in dockerfile
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1] not in ("root", "0")


def test_our_own_image_is_built_once(files):
    """Two services that build one image would both export it at once; the other one pulls it from nowhere."""
    ours = {name: each for name, each in files.services.items() if each["image"].startswith("manometer-")}
    assert [name for name, each in ours.items() if "build" in each] == ["engine"]
    assert ours["inbox"]["image"] == ours["engine"]["image"]
    assert ours["inbox"]["pull_policy"] == "never"


def test_our_own_commands_are_understood(files):
    """The arguments of the engine and the inbox are options of theirs."""
    alluse = [sys.executable, "-m", "alluse"]
    for service in ("engine", "inbox"):
        command, *arguments = files.services[service]["command"]
        done = subprocess.run([*alluse, command, "--help"], check=True, capture_output=True, text=True)
        for argument in arguments:
            assert not argument.startswith("--") or argument in done.stdout
        values = [value for option, value in pairwise(arguments) if option.startswith("--")]
        assert not any(value.startswith("--") for value in values)
