"""The stack gives the programs compose's own files with the addresses of here; stand-ins play the programs."""

import json
import shutil
import socket
import sys
from pathlib import Path

import pytest
import yaml

import alluse.stack as stack_module
from alluse.errors import SettingsError
from alluse.stack import Stack, missing_programs

ROOT = Path(__file__).parents[2]

STAND_IN = f"""#!{sys.executable}
import http.server, json, sys
flags = dict(argument.split("=", 1) for argument in sys.argv[1:])
print(json.dumps({{"flags": flags, "config": open(flags["--config.file"]).read()}}), flush=True)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/-/ready" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
host, port = flags["--web.listen-address"].split(":")
http.server.HTTPServer((host, int(port)), Ready).serve_forever()
"""
BROKEN = f"#!{sys.executable}\nimport sys\nprint('no such flag')\nsys.exit(1)\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs programs, and nothing but them is on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name, program=STAND_IN):
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)

    return install


@pytest.fixture
def both(installed):
    """Both programs by Debian's names."""
    installed("prometheus")
    installed("prometheus-alertmanager")


def given(stack, service):
    """The flags that a program got, and its configuration."""
    got = json.loads(stack.log(service).splitlines()[0])
    return got["flags"], yaml.safe_load(got["config"])


def read_all(folder):
    """What the files of a folder hold, by their names."""
    return {path.name: yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")}


def test_addresses_and_paths_are_those_of_here(both):
    """Prometheus scrapes the engine and each server where they are, and Alertmanager delivers to the inbox."""
    with Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222") as stack:
        flags, prometheus = given(stack, "prometheus")
        _, alertmanager = given(stack, "alertmanager")
        copied = [read_all(Path(pattern).parent) for pattern in prometheus["rule_files"]]
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in prometheus["scrape_configs"]}
    addresses = {name: url.removeprefix("http://") for name, url in vars(stack).items() if name.endswith("_url")}
    assert jobs == {
        "alluse": ["127.0.0.1:1111"],
        "prometheus": [addresses["prometheus_url"]],
        "alertmanager": [addresses["alertmanager_url"]],
    }
    assert prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == jobs["alertmanager"]
    assert flags["--web.listen-address"] == addresses["prometheus_url"]
    hooks = [hook["url"] for receiver in alertmanager["receivers"] for hook in receiver.get("webhook_configs", [])]
    assert set(hooks) == {"http://127.0.0.1:2222/"}
    assert copied == [read_all(ROOT / "compose/prometheus/rules")]


def test_what_is_not_an_address_stays_as_it_is(both):
    """Intervals, routes and flags are compose's own."""
    written = yaml.safe_load((ROOT / "compose" / "alertmanager" / "alertmanager.yml").read_text())
    with Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222") as stack:
        flags, prometheus = given(stack, "prometheus")
        _, alertmanager = given(stack, "alertmanager")
    assert flags["--enable-feature"] == "exemplar-storage"
    assert prometheus["global"]["scrape_interval"] == "5s"
    assert (alertmanager["route"], alertmanager["inhibit_rules"]) == (written["route"], written["inhibit_rules"])


def test_a_hurried_test_scrapes_and_evaluates_more_often(both):
    """Every interval is replaced; how long an alert is held, and how far its query looks back, is not."""
    with Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222", every=1) as stack:
        _, prometheus = given(stack, "prometheus")
        _, alertmanager = given(stack, "alertmanager")
        rules = Path(prometheus["rule_files"][0]).parent
        groups = [group for path in rules.iterdir() for group in yaml.safe_load(path.read_text())["groups"]]
    assert set(prometheus["global"].values()) == {"1s"}
    assert {group["interval"] for group in groups} == {"1s"}
    breaker = next(rule for group in groups for rule in group["rules"] if rule.get("alert") == "BreakerOpen")
    assert breaker["for"] == "1m"
    assert alertmanager["route"]["group_wait"] == "1s"
    assert alertmanager["route"]["repeat_interval"] == "4h"


def test_closing_stops_both_and_leaves_nothing_behind(both):
    """No process and no file outlives the stack."""
    stack = Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")
    folder = Path(given(stack, "prometheus")[0]["--config.file"]).parent
    assert folder.exists()
    stack.close()
    stack.close()
    assert not folder.exists()


def test_programs_that_are_missing_are_named(installed):
    """The error says what to install."""
    installed("prometheus")
    assert missing_programs() == ["prometheus-alertmanager"]
    with pytest.raises(SettingsError, match=r"apt-get install prometheus-alertmanager$"):
        Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")


def test_a_program_by_its_makers_name_will_do(installed):
    """Elsewhere than on Debian, Alertmanager is called alertmanager."""
    installed("prometheus")
    installed("alertmanager")
    assert missing_programs() == []


def test_a_program_that_does_not_start_says_why(installed):
    """Its last words are in the error."""
    installed("prometheus", BROKEN)
    installed("prometheus-alertmanager")
    with pytest.raises(SettingsError, match=r"prometheus did not start; it said last:\nno such flag"):
        Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")


def test_a_port_that_another_took_meanwhile_is_given_up_for_the_next(both, monkeypatch):
    """A port is chosen before the program listens on it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number, choose = taken.getsockname()[1], stack_module._free_port
        chosen = iter([number, 0, 0, number])
        monkeypatch.setattr(stack_module, "_free_port", lambda wanted: next(chosen, 0) or choose(wanted))
        with Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222") as stack:
            urls = {stack.prometheus_url, stack.alertmanager_url}
    assert f"http://127.0.0.1:{number}" not in urls
    assert next(chosen, None) is None


def test_a_program_that_finds_no_port_at_all_says_so(both, monkeypatch):
    """After some tries it is no accident."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(stack_module, "_free_port", lambda _: taken.getsockname()[1])
        monkeypatch.setattr(stack_module, "_START_TRIES", 2)
        with pytest.raises(SettingsError, match=r"(?is)did not start; it said last:.*address already in use"):
            Stack(ROOT, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")


def test_a_folder_that_is_no_checkout_is_refused(both, tmp_path):
    """The error names the file that is not there."""
    with pytest.raises(SettingsError, match=r"cannot read .*compose\.yaml: .*a checkout of the repository"):
        Stack(tmp_path, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")


def test_a_malformed_file_is_named(both, tmp_path):
    """The error says which file, and where in it."""
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    (tmp_path / "compose/prometheus/rules/pool.yaml").write_text("groups: [")
    with pytest.raises(SettingsError, match=r"pool\.yaml is no YAML: .*line 1"):
        Stack(tmp_path, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")


def test_without_rules_there_is_no_stack(both, tmp_path):
    """An empty folder of rules is no state to watch anything in."""
    shutil.copytree(ROOT / "compose", tmp_path / "compose", ignore=shutil.ignore_patterns("rules"))
    with pytest.raises(SettingsError, match="rules holds no rules"):
        Stack(tmp_path, engine="127.0.0.1:1111", inbox="127.0.0.1:2222")
