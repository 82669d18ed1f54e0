"""The sample of Alertmanager: its checker accepts it, and a real one delivers by it, with secrets from files."""

import json
import re
import subprocess
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest
import yaml

from mail_catcher import MailCatcher
from manometer.mixin.slo.file import read_services
from manometer.mixin.slo.inhibitions import inhibitions
from ports import reserved_port
from posted import Catcher
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
FOLDER = SAMPLES / "alertmanager"
SERVICES = read_services(sorted((SAMPLES / "slo").glob("*.yaml")))
SECRETS = {name: f"the-{name}" for name in ("smtp-password", "pagerduty-key", "webhook-token")}
HOSTS = ("https://tickets.example.org", "https://heartbeat.example.org")


class Request(NamedTuple):
    """What somebody posted. body: of JSON."""

    path: str
    authorization: str | None
    body: dict


class Requests:
    """What is posted to a server of HTTP, as JSON."""

    def __init__(self):
        self.requests = []
        self._catcher = Catcher(self._take)
        self.url, self.close = self._catcher.url, self._catcher.close

    def _take(self, path, headers, body):
        self.requests.append(Request(path, headers.get("Authorization"), json.loads(body)))

    def of(self, path):
        """The bodies that were posted there."""
        return [each.body for each in self.requests if each.path == path]


class Alertmanager:
    """A server that runs by the sample, with the addresses and paths of here, and in a hurry."""

    def __init__(self, url, log):
        self.url, self._log = url, log

    def log(self):
        return self._log.read_text()

    def ask(self, path, document=None):
        """The JSON that it answers."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/{path}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.loads(answer.read() or "null")

    def fire(self, name, severity, ended=False, **labels):
        """Send an alert, or its end."""
        alert = {
            "labels": {"alertname": name, "severity": severity, **labels},
            "annotations": {
                "summary": f"{name} of shop & co",
                "description": "It is < 3.",
                "runbook_url": f"https://wiki.example/{name}.md",
            },
        }
        now = datetime.now(UTC).isoformat()
        self.ask("alerts", [{**alert, **({"endsAt": now} if ended else {})}])

    def states(self):
        """The state of each alert, active or suppressed, by its name, severity and service."""
        states = {}
        for each in self.ask("alerts"):
            labels = each["labels"]
            states[labels["alertname"], labels["severity"], labels.get("service", "")] = each["status"]["state"]
        return states


@pytest.fixture
def caught(program, tmp_path):
    """Alertmanager, and those that it delivers to: by HTTP and by mail."""
    server = program("prometheus-alertmanager", "prometheus-alertmanager")
    with ExitStack() as started:
        web = Requests()
        started.callback(web.close)
        mail = started.enter_context(MailCatcher())
        (tmp_path / "secrets").mkdir()
        for name, secret in {**SECRETS, "slack-url": f"{web.url}/slack"}.items():
            (tmp_path / "secrets" / name).write_text(secret)
        text = (FOLDER / "alertmanager.yml").read_text()
        for host in HOSTS:
            text = text.replace(host, web.url)
        config = yaml.safe_load(text.replace("/etc/alertmanager/secrets", str(tmp_path / "secrets")))
        config["templates"] = [str(FOLDER / "templates" / "*.tmpl")]
        config["global"] |= {
            "smtp_smarthost": mail.address,
            "smtp_require_tls": False,
            "pagerduty_url": f"{web.url}/pagerduty",
        }
        config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        config["inhibit_rules"] += inhibitions(SERVICES)["inhibit_rules"]
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
        port = started.enter_context(reserved_port())
        log = tmp_path / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [
                    server,
                    f"--config.file={tmp_path / 'alertmanager.yml'}",
                    f"--storage.path={tmp_path / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--cluster.listen-address=",
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        started.callback(process.wait, DEADLINE)
        started.callback(process.terminate)
        running = Alertmanager(f"http://127.0.0.1:{port}", log)
        until(lambda: answers(running), running.log)
        yield running, web, mail


def answers(server):
    """Whether it is up."""
    try:
        return server.ask("status")
    except OSError:
        return None


def test_amtool_accepts_the_sample(program):
    """As it stands, templates and all."""
    amtool = program("amtool", "prometheus-alertmanager")
    done = subprocess.run(
        [amtool, "check-config", str(FOLDER / "alertmanager.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("page", ["alertname=BreakerOpen", "severity=critical"]),
        ("ticket", ["alertname=MemoryHigh", "severity=warning"]),
        ("advice", ["alertname=SignalUnusual", "severity=info"]),
        ("nobody", ["alertname=InfoInhibitor", "severity=none"]),
        ("heartbeat", ["alertname=Watchdog", "severity=none"]),
    ],
)
def test_an_alert_goes_to_its_receiver(program, receiver, labels):
    """By its severity; the alerts about alerting have receivers of their own."""
    amtool = program("amtool", "prometheus-alertmanager")
    command = [
        amtool,
        "config",
        "routes",
        "test",
        f"--config.file={FOLDER / 'alertmanager.yml'}",
        *labels,
        "job=shop",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == receiver


def test_advice_waits_until_something_worse_fires_for_its_job(caught):
    """While InfoInhibitor fires for the job, and for no other job."""
    server, web, _ = caught
    server.fire("InfoInhibitor", "none", job="shop")
    server.fire("SignalUnusual", "info", job="shop", service="shop")
    server.fire("SignalUnusual", "info", job="cafe", service="cafe")
    held, told = ("SignalUnusual", "info", "shop"), ("SignalUnusual", "info", "cafe")
    until(lambda: server.states().items() >= {held: "suppressed", told: "active"}.items(), server.states)
    server.fire("MemoryHigh", "warning", job="shop", service="shop")
    server.fire("InfoInhibitor", "none", ended=True, job="shop")  # as the rule does then
    until(lambda: server.states()[held] == "active", server.states)
    until(lambda: any("SignalUnusual of shop" in str(each) for each in web.of("/slack")), server.log)


def test_a_page_arrives_at_pagerduty_and_slack_and_so_does_its_end(caught):
    """With what is wrong, what to do, and how to tell others that it is being worked on."""
    server, web, _ = caught
    about = {"job": "shop", "instance": "a", "team": "orders"}
    server.fire("BreakerOpen", "critical", **about)
    paged = until(lambda: web.of("/pagerduty"), server.log)[0]
    assert (paged["routing_key"], paged["event_action"]) == ("the-pagerduty-key", "trigger")
    assert paged["payload"]["severity"] == "critical"
    assert paged["payload"]["summary"] == "[FIRING 1] BreakerOpen of shop (orders)"
    [told] = until(lambda: web.of("/slack"), server.log)[0]["attachments"]
    assert (told["title"], told["title_link"]) == (
        "[FIRING 1] BreakerOpen of shop (orders)",
        "https://wiki.example/BreakerOpen.md",
    )
    for text in (told["text"], paged["payload"]["custom_details"]["alerts"]):
        assert text.startswith("FIRING: BreakerOpen of shop & co\nIt is < 3.\n")
        assert "Runbook: https://wiki.example/BreakerOpen.md\n" in text
        [silenced] = re.findall(r"/#/silences/new\?filter=(\S+)\n", text)
        assert unquote(silenced) == (
            '{alertname="BreakerOpen", instance="a", job="shop", severity="critical", team="orders"}'
        )
    server.fire("BreakerOpen", "critical", ended=True, **about)
    ended = until(lambda: web.of("/pagerduty")[1:], server.log)[0]
    assert (ended["event_action"], ended["dedup_key"]) == ("resolve", paged["dedup_key"])
    until(lambda: any("[RESOLVED]" in str(each) for each in web.of("/slack")), server.log)


def test_a_ticket_arrives_by_mail_and_webhook_and_so_does_its_end(caught):
    """The mail server and the webhook are told who sends, by secrets from files."""
    server, web, mail = caught
    server.fire("MemoryHigh", "warning", job="shop")
    [first] = until(lambda: mail.mails, server.log)
    assert mail.logins == [("alertmanager@example.org", "the-smtp-password")]
    assert (first["To"], first["From"]) == ("on-call@example.org", "alertmanager@example.org")
    assert first["Subject"] == "[FIRING 1] MemoryHigh of shop"
    text = first.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith("FIRING: MemoryHigh of shop & co\nIt is < 3.\n")
    assert "Runbook: https://wiki.example/MemoryHigh.md" in text
    hooked = until(lambda: [each for each in web.requests if each.path == "/alerts"], server.log)[0]
    assert hooked.authorization == "Bearer the-webhook-token"
    assert hooked.body["commonLabels"]["alertname"] == "MemoryHigh"
    server.fire("MemoryHigh", "warning", ended=True, job="shop")
    until(lambda: [each for each in mail.mails if each["Subject"] == "[RESOLVED] MemoryHigh of shop"], server.log)
    assert until(lambda: web.of("/alerts")[1:], server.log)[0]["status"] == "resolved"


def test_no_secret_can_be_read_off_the_server(caught):
    """Its page of the configuration has the paths alone."""
    server, _, _ = caught
    shown = server.ask("status")["config"]["original"]
    assert "secrets/pagerduty-key" in shown
    assert not [secret for secret in SECRETS.values() if secret in shown]


def test_the_pages_of_a_dependency_hold_back_those_that_they_cause(caught):
    """Of the service and of its jobs; what has another cause is told, and the rest as soon as the cause is mended."""
    server, _, _ = caught
    fast = ("ErrorBudgetBurn", "critical")
    server.fire(*fast, service="shop", objective="orders")
    server.fire("PoolTimeouts", "critical", job="shop", instance="a")
    server.fire("TargetDown", "critical", job="shop", instance="b")
    alone = {
        (*fast, "shop"): "active",
        ("PoolTimeouts", "critical", ""): "active",
        ("TargetDown", "critical", ""): "active",
    }
    until(lambda: server.states().items() >= alone.items(), server.states)
    server.fire(*fast, service="stock", objective="lookups")
    caused = {**alone, (*fast, "shop"): "suppressed", ("PoolTimeouts", "critical", ""): "suppressed"}
    until(lambda: server.states().items() >= {**caused, (*fast, "stock"): "active"}.items(), server.states)
    server.fire("TargetDown", "critical", job="postgres", instance="c")  # by its job, which the stock depends on too
    until(lambda: server.states()[(*fast, "stock")] == "suppressed", server.states)
    server.fire("TargetDown", "critical", ended=True, job="postgres", instance="c")
    server.fire(*fast, ended=True, service="stock", objective="lookups")
    until(lambda: server.states().items() >= alone.items(), server.states)


def test_a_silence_keeps_an_alert_back_until_it_ends(caught, program):
    """As the page on operations says: nobody else is told while somebody works on it, and then it comes back."""
    server, web, _ = caught
    amtool = program("amtool", "prometheus-alertmanager")

    def silence(*arguments):
        command = [amtool, f"--alertmanager.url={server.url}", "silence", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE)
        return done.stdout.strip()

    comment = ("--author=on-call", "--comment=raising the limit", "--duration=2h")
    number = silence("add", "alertname=PoolTimeouts", "pool_name=orders", *comment)
    server.fire("PoolTimeouts", "critical", job="cafe", pool_name="orders")
    server.fire("PoolTimeouts", "critical", job="cafe", pool_name="tables")
    told = until(lambda: web.of("/pagerduty"), server.log)
    assert {each["payload"]["summary"] for each in told} == {"[FIRING 1] PoolTimeouts of cafe"}
    states = {each["labels"]["pool_name"]: each["status"]["state"] for each in server.ask("alerts")}
    assert states == {"orders": "suppressed", "tables": "active"}
    silence("expire", number)
    until(lambda: web.of("/pagerduty")[-1]["payload"]["summary"].startswith("[FIRING 2]"), server.log)
