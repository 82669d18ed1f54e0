"""A web configuration that changes: what is good is in force from the next connection on, what is bad is not."""

import logging
import os
import ssl
import threading
import urllib.request
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry

from certificates import Authority
from manometer.registry.self_metrics import SelfMetrics
from manometer.serving import live_config
from manometer.serving.live_config import LiveConfig
from manometer.serving.pages import Site
from manometer.serving.server import Server
from manometer.serving.web_config import web_config
from waiting import DEADLINE, joined

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
HASH = "$2b$04$0JT.EVQH6nF4SPEwN3GXQuDWmo3Bttcdj5ITWpukMre3c4BXt.1Z2"
OTHER = "$2b$04$t36XaVi4tv83nMGqiSaZ2u//9HJHorDQRuzB8oD1PF7Gns4er3Fqm"
USERS = f"basic_auth_users:\n  alice: {HASH}\n"


@pytest.fixture
def reloads():
    """What is told of the readings."""
    return SelfMetrics().web_config


@pytest.fixture
def live(tmp_path, reloads):
    """Makes a configuration of a file with such a text, and certificates beside it."""
    Authority().write(tmp_path, "server", "localhost")

    def make(text):
        (tmp_path / "web.yml").write_text(text)
        return LiveConfig(tmp_path / "web.yml", reloads)

    return make


def _refused(reloads):
    """How many readings were refused."""
    return sum(reading.total for (outcome,), reading in reloads.counter.read() if outcome == "refused")


def rewrite(path, text):
    """Write the file anew, as an editor does, with a time that is not the one before however coarse times are."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_nothing_is_read_again_where_nothing_has_changed(live, monkeypatch):
    """A request costs a few looks at the times of files."""
    found = live(TLS)
    first = found.current()
    monkeypatch.setattr(live_config, "web_config", lambda _: pytest.fail("read again"))
    assert found.current() is first


def test_a_change_of_the_file_is_in_force(live, tmp_path, caplog, reloads):
    """From the next request on; it is logged."""
    caplog.set_level(logging.INFO)
    found = live(USERS)
    rewrite(tmp_path / "web.yml", USERS.replace(HASH, OTHER))
    assert found.current().said.users == {"alice": OTHER}
    assert caplog.messages == [f"the web configuration file {tmp_path / 'web.yml'} was read again"]
    assert _refused(reloads) == 0


@pytest.mark.parametrize("how", ["written", "replaced", "by a link"])
def test_a_renewed_certificate_is_in_force(tmp_path, how):
    """For new connections, however it was renewed: in its place, by a rename, or by a link as Kubernetes does it."""
    stands = tmp_path / "first"
    stands.mkdir()
    Authority().write(stands, "server", "localhost")
    folder = tmp_path / "folder"
    folder.symlink_to(stands)
    path = tmp_path / "web.yml"
    path.write_text("tls_server_config:\n  cert_file: folder/server.crt\n  key_file: folder/server.key\n")
    server = Server(Site(CollectorRegistry()), "127.0.0.1", 0, web_config_file=str(path)).start()
    try:
        before = presented(server)
        renewed = tmp_path / "renewed"
        renewed.mkdir()
        Authority().write(renewed, "server", "localhost")
        if how == "by a link":
            (tmp_path / "next").symlink_to(renewed)
            (tmp_path / "next").rename(folder)
        for name in ("server.crt", "server.key") if how != "by a link" else ():
            if how == "written":
                rewrite(stands / name, (renewed / name).read_text())
            else:
                (renewed / name).rename(stands / name)
        assert presented(server) != before
    finally:
        server.close()


def presented(server):
    """The certificate that the server presents."""
    port = int(server.url.rpartition(":")[2])
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=DEADLINE)


def test_half_of_a_renewal_keeps_the_old_certificate(live, tmp_path, caplog, reloads):
    """A new certificate beside the old key: the pair before stays, and the new one is in force with its key."""
    found = live(TLS)
    before = found.current()
    certificate, key = Authority().signed("localhost")
    rewrite(tmp_path / "server.crt", certificate)
    assert found.current() is before
    assert _refused(reloads) == 1
    rewrite(tmp_path / "server.key", key)
    assert found.current().tls is not before.tls
    assert _refused(reloads) == 1


BAD = {
    "what is no YAML": "a: [",
    "an unknown key": f"{TLS}{USERS}nothing: 1\n",
    "no certificate": f"{TLS}{USERS}".replace("server.crt", "none.crt"),
    "a password that is no hash": f"{TLS}basic_auth_users:\n  alice: secret\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_change_keeps_what_was_in_force(live, tmp_path, caplog, reloads, name):
    """It is logged and counted once; a good one after it is taken."""
    found = live(TLS + USERS)
    before = found.current()
    rewrite(tmp_path / "web.yml", BAD[name])
    for _ in range(3):
        assert found.current() is before
    assert _refused(reloads) == 1
    (message,) = caplog.messages
    assert message.startswith(f"the web configuration file {tmp_path / 'web.yml'}")
    assert message.endswith("; what was in force before stays so")
    rewrite(tmp_path / "web.yml", TLS + USERS.replace(HASH, OTHER))
    assert found.current().said.users == {"alice": OTHER}


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("", "it has no TLS and no passwords and no client certificates any more"),
        (USERS, "it has no TLS and no client certificates any more"),
        (TLS, "it has no passwords and no client certificates any more"),
        (TLS + USERS, "it has no client certificates any more"),
    ],
)
def test_a_change_takes_no_defence_away(live, tmp_path, caplog, reloads, text, lost):
    """A file that is just being written looks like that, and would let everybody in for a moment."""
    found = live(
        TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n" + USERS,
    )
    before = found.current()
    rewrite(tmp_path / "web.yml", text)
    assert found.current() is before
    assert caplog.messages == [
        f"the web configuration file {tmp_path / 'web.yml'}: {lost}; start the program anew for that; "
        "what was in force before stays so"
    ]


def test_a_file_that_is_gone_keeps_what_was_in_force(live, tmp_path, reloads):
    """Until it is there again."""
    found = live(USERS)
    (tmp_path / "web.yml").unlink()
    assert found.current().said.users == {"alice": HASH}
    assert _refused(reloads) == 1
    (tmp_path / "web.yml").write_text(USERS.replace(HASH, OTHER))
    assert found.current().said.users == {"alice": OTHER}


def test_a_rate_goes_on_where_it_did_not_change(live, tmp_path):
    """Else a change of a password would fill the bucket."""
    rate = "rate_limit:\n  interval: 1h\n"
    found = live(rate)
    before = found.current().bucket
    rewrite(tmp_path / "web.yml", rate + USERS)
    assert found.current().bucket is before
    rewrite(tmp_path / "web.yml", rate.replace("1h", "2h"))
    (tmp_path / "web.yml").write_text(rate.replace("1h", "2h") + USERS)
    assert found.current().bucket not in (before, None)


def test_nobody_waits_while_the_file_is_read(live, tmp_path, monkeypatch):
    """As from a disk that hangs: the others go on with what is in force."""
    found = live(USERS)
    before = found.current()
    entered, may = threading.Event(), threading.Event()

    def slow(path):
        entered.set()
        assert may.wait(DEADLINE)
        return web_config(path)

    monkeypatch.setattr(live_config, "web_config", slow)
    rewrite(tmp_path / "web.yml", USERS.replace(HASH, OTHER))
    reader = threading.Thread(target=found.current)
    reader.start()
    assert entered.wait(DEADLINE)
    assert found.current() is before
    may.set()
    joined(reader)
    assert found.current().said.users == {"alice": OTHER}


def test_a_refusal_is_told_among_the_figures(tmp_path):
    """For an alert, for as long as the file is wrong."""
    registry = CollectorRegistry()
    path = tmp_path / "web.yml"
    path.write_text(USERS)
    with closing(Server(Site(registry), "127.0.0.1", 0, web_config_file=str(path)).start()) as server:
        assert _told(registry) == (1, None)
        rewrite(path, "nothing: 1\n")
        _ask(server)
        assert _told(registry) == (0, 1)
        rewrite(path, USERS.replace(HASH, OTHER))
        _ask(server)
        assert _told(registry) == (1, 1)


def _ask(server):
    with urllib.request.urlopen(f"{server.url}/livez", timeout=DEADLINE) as answer:
        assert answer.status == 200


def _told(registry):
    """Whether the last reading was right, and how many were refused."""
    prefix = "manometer_server_config"
    refused = registry.get_sample_value(f"{prefix}_reloads_total", {f"{prefix}_reload_outcome": "refused"})
    return registry.get_sample_value(f"{prefix}_last_reload_successful"), refused
