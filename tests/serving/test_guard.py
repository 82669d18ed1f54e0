"""What a web configuration lets through: users, probes, headers, a rate; and what is logged without one."""

import base64
import http.client
import logging
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from certificates import Authority
from checking import Rig
from manometer import Counter
from manometer.serving.guard import Guard
from manometer.serving.hosts import Hosts
from manometer.serving.pages import Request, Site
from manometer.serving.rate import Bucket, Rate
from manometer.serving.server import Server
from waiting import DEADLINE

ALICE = "basic_auth_users:\n  alice: $2b$04$0JT.EVQH6nF4SPEwN3GXQuDWmo3Bttcdj5ITWpukMre3c4BXt.1Z2\n"
"""The password is `secret`."""
HEADERS = """\
http_server_config:
  headers:
    Content-Security-Policy: default-src 'none'
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 0
    Strict-Transport-Security: max-age=31536000
"""
ANYBODY = Hosts(None, "")


@pytest.fixture
def registry():
    """A registry with a counter at 1."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    return registry


@pytest.fixture
def guard(registry, tmp_path):
    """Makes the guard of a site with such a web configuration."""

    def make(text, **site):
        path = tmp_path / "web.yml"
        path.write_text(text)
        return Guard(Site(registry, **site), str(path))

    return make


def ask(guard, path="/metrics", user=None, password="secret", query="", **headers):
    """The answer to a request, maybe with a password."""
    if user is not None:
        told = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {told}"
    return guard.answer(ANYBODY, Request("GET", path, query, headers, "192.0.2.1"))


def test_figures_are_for_users_alone(guard):
    """Without a password, or with a wrong one, there is a challenge and nothing else; unknown paths tell nothing."""
    guard = guard(ALICE)
    assert b"c_total 1.0" in ask(guard, user="alice").body
    for told in ({}, {"user": "alice", "password": "wrong"}, {"user": "bob"}, {"user": "alice", "password": ""}):
        for path in ("/metrics", "/", "/nothing"):
            response = ask(guard, path, **told)
            assert (response.status, response.body) == (401, b"a user and a password that are right are needed\n")
            assert ("WWW-Authenticate", 'Basic realm="metrics", charset="UTF-8"') in response.headers


def test_probes_need_no_password_and_learn_yes_or_no(guard):
    """What fails is for users; a password that is wrong is refused here too."""
    rig = Rig(CollectorRegistry())
    rig.add("database", lambda: "no route to db.internal")
    rig.run()
    guard = guard(ALICE, checks=rig.checks.all)
    assert ask(guard, "/livez")[::2] == (200, b"ok\n")
    for query in ("", "verbose"):
        assert ask(guard, "/readyz", query=query)[::2] == (503, b"not ok\n")
    assert b"database" in ask(guard, "/readyz", user="alice").body
    assert ask(guard, "/readyz", user="alice", password="wrong").status == 401


def test_a_page_in_a_browser_of_the_machine_is_told_no_reasons():
    """It asks from there, by a name of its own, of an exporter that other machines reach as well."""
    rig = Rig(CollectorRegistry())
    rig.add("database", lambda: "no route to db.internal")
    rig.run()
    judge, public = Guard(Site(rig.registry, rig.checks.all)), Hosts("0.0.0.0", "")
    for path in ("/readyz", "/health"):
        told = {
            host: judge.answer(public, Request("GET", path, "", {"host": host}, "127.0.0.1"))
            for host in ("localhost:9464", "evil.test:9464")
        }
        assert {each.status for each in told.values()} == {503}
        assert b"db.internal" in told["localhost:9464"].body
        assert b"db.internal" not in told["evil.test:9464"].body


def test_too_many_passwords_at_once_are_refused_and_counted(guard, registry, monkeypatch):
    """The client may come again."""
    guard = guard(ALICE)
    monkeypatch.setattr("manometer.serving.credentials.WAITING", 0)
    response = ask(guard, user="alice")
    assert (response.status, response.body) == (429, b"too many passwords are being checked\n")
    assert ("Retry-After", "1") in response.headers
    shortages = "manometer_server_shortages_total", {"manometer_server_resource": "check"}
    assert registry.get_sample_value(*shortages) == 1


def refusals(registry, reason):
    """How many there were for that reason."""
    labels = {"manometer_server_refusal_reason": reason}
    return registry.get_sample_value("manometer_server_refusals_total", labels) or 0


def test_refusals_are_counted_by_their_reasons(guard, registry):
    """A host, a rate, a password: probes that need none are none."""
    judge = guard(ALICE + "rate_limit:\n  interval: 1h\n  burst: 2\n")
    ask(judge, user="alice")
    ask(judge, user="bob")
    ask(judge, "/livez")
    ask(judge)
    judge.answer(Hosts("127.0.0.1", "127.0.0.1"), Request("GET", "/metrics", "", {"host": "evil.test"}, None))
    assert [refusals(registry, each) for each in ("password", "rate", "host")] == [1, 1, 1]


def test_a_fault_of_ours_is_logged_and_lets_nobody_in(guard, monkeypatch, caplog):
    """500, and not the figures."""
    guard = guard(ALICE)

    def fails(*_):
        raise MemoryError

    monkeypatch.setattr("manometer.serving.guard.Credentials.verdict", fails)
    assert ask(guard, user="alice")[::2] == (500, b"the exporter failed; its log says why\n")
    assert "whether /metrics may be answered could not be told" in caplog.text


def test_headers_are_on_every_answer(guard):
    """The refusals among them."""
    guard = guard(HEADERS + ALICE)
    wanted = {
        ("Content-Security-Policy", "default-src 'none'"),
        ("X-Frame-Options", "deny"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-XSS-Protection", "0"),
        ("Strict-Transport-Security", "max-age=31536000"),
    }
    for response in (ask(guard), ask(guard, user="alice"), ask(guard, "/livez")):
        assert wanted <= set(response.headers)


def test_a_rate_limits_requests_but_not_probes(guard):
    """As many at once as a burst has; a flood does not have the program started anew."""
    guard = guard("rate_limit:\n  interval: 1h\n  burst: 2\n")
    statuses = [ask(guard).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert ask(guard).body == b"too many requests; rate_limit says how many there may be\n"
    assert ask(guard, "/livez").status == ask(guard, "/readyz").status == 200


def test_a_bucket_fills_with_time():
    """A token an interval, up to the burst."""
    now = 0.0
    bucket = Bucket(Rate(0.5, 2), lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 100
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def _write(folder, text):
    Authority().write(folder, "server", "localhost")
    (folder / "ca.crt").write_text(Authority().pem)
    (folder / "web.yml").write_text(text)
    return str(folder / "web.yml")


TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
CLIENTS = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"


@pytest.mark.parametrize(
    ("address", "text", "lacking"),
    [
        ("0.0.0.0:0", "", "TLS and passwords"),
        (":0", TLS, "passwords"),
        ("0.0.0.0:0", ALICE, "TLS"),
        ("0.0.0.0:0", TLS + ALICE, None),
        ("0.0.0.0:0", CLIENTS, None),
        ("127.0.0.1:0,localhost:0", "", None),
    ],
)
def test_a_public_address_without_tls_and_passwords_is_warned_of(tmp_path, caplog, address, text, lacking):
    """By what is lacking; a certificate of the client is as good as a password."""
    caplog.set_level(logging.WARNING)
    site = Site(CollectorRegistry())
    with closing(
        Server(site, "", 0, listen_addresses=address, web_config_file=_write(tmp_path, text)).start()
    ) as server:
        name = urlsplit(server.url).netloc
    wanted = (
        f"the exporter listens on {name}, where other machines reach it, without {lacking}; "
        "MANOMETER_WEB_CONFIG_FILE names a file that has both"
    )
    assert caplog.messages == ([] if lacking is None else [wanted])


def test_a_unix_socket_is_not_warned_of(tmp_path, caplog):
    """Its mode says who may connect."""
    path = f"unix:{tmp_path / 'app.sock'}"
    Server(Site(CollectorRegistry()), "", 0, listen_addresses=path).start().close()
    assert caplog.messages == []


def test_all_of_it_holds_over_a_connection(registry, tmp_path):
    """A password and headers by HTTP."""
    path = _write(tmp_path, ALICE + HEADERS)
    with closing(Server(Site(registry), "127.0.0.1", 0, web_config_file=path).start()) as server:
        parts = urlsplit(server.url)
        told = base64.b64encode(b"alice:secret").decode()
        for headers, status in (({}, 401), ({"Authorization": f"Basic {told}"}, 200)):
            with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)) as client:
                client.request("GET", "/metrics", headers=headers)
                with client.getresponse() as answer:
                    assert (answer.status, answer.headers["X-Frame-Options"]) == (status, "deny")
