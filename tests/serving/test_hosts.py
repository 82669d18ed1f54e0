"""No page of somebody else in a browser reads an exporter that is for its own machine."""

import http.client
import socket
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from manometer.serving import hosts
from manometer.serving.hosts import Hosts
from manometer.serving.pages import Site
from manometer.serving.server import Server
from waiting import DEADLINE

LOOPBACK = Hosts("127.0.0.1", "127.0.0.1", "metrics.shop.test:443, Other")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "localhost",
        "localhost:9464",
        "LocalHost.:9464",
        "app.localhost",
        "127.0.0.1:9464",
        "10.0.0.7",
        "[::1]:9464",
        "[fe80::1]",
        "metrics.shop.test",
        "other:80",
        socket.gethostname(),
    ],
)
def test_addresses_and_its_own_names_are_answered(header):
    """What a scraper on the machine asks for, and what the settings name."""
    assert LOOPBACK.allow(header)


@pytest.mark.parametrize(
    "header", ["evil.test", "evil.test:9464", "localhost.evil.test", "127.0.0.1.evil.test", "evillocalhost", "[evil]"]
)
def test_names_of_others_are_not(header):
    """However like one of its own."""
    assert not LOOPBACK.allow(header)
    assert not Hosts("::1", "::1").allow(header)


def test_its_own_names_are_known_where_all_are_answered():
    """No browser asks a Unix socket; and where the settings allow any name, nobody asks which."""
    public = Hosts("0.0.0.0", "", "metrics.shop.test")
    for header in ("localhost:9464", "10.0.0.7:9464", "metrics.shop.test", None):
        assert public.is_own(header)
    assert public.allow("evil.test")
    assert not public.is_own("evil.test")
    assert Hosts(None, "").is_own("evil.test")
    assert Hosts("0.0.0.0", "", "*").is_own("evil.test")


def test_what_the_hosts_file_calls_the_machine_is_its_own(tmp_path, monkeypatch):
    """As Debian has it. Other names that lead here are somebody else's, as where a file holds advertisements back."""
    file = tmp_path / "hosts"
    file.write_bytes(
        b"127.0.0.1 localhost\n\n127.0.1.1\tShop-1.example.com shop-1 # other\n127.0.0.1 ads.test \xff\n"
    )
    monkeypatch.setattr(hosts, "_HOSTS_FILE", file)
    monkeypatch.setattr(socket, "gethostname", lambda: "shop-1")
    found = Hosts("127.0.1.1", "127.0.1.1")
    asked = ("shop-1", "shop-1.example.com:9464", "other", "ads.test", "shop-1.evil.test")
    assert [each for each in asked if found.allow(each)] == ["shop-1", "shop-1.example.com:9464"]
    file.unlink()
    assert not Hosts("127.0.1.1", "127.0.1.1").allow("shop-1.example.com")


def test_the_loopback_by_an_ipv4_address_in_ipv6_is_the_loopback():
    """As a socket for both has it."""
    assert not Hosts("::ffff:127.0.0.1", "::ffff:127.0.0.1").allow("evil.test")


@pytest.mark.parametrize(
    "open_to", [Hosts("0.0.0.0", "0.0.0.0"), Hosts("10.0.0.7", "x"), Hosts("127.0.0.1", "x", "*")]
)
def test_who_is_there_for_others_too_has_any_name(open_to):
    """The network's, or what a proxy passes on."""
    assert open_to.allow("shop-1.internal:9464")


def test_the_server_answers_such_a_request_by_what_to_do():
    """421, and no figure."""
    refused = (
        421,
        "this exporter is for its own machine, and no name of it is 'evil.test'; "
        "where a proxy asks so, name it by MANOMETER_ALLOWED_HOSTS\n",
    )
    with closing(Server(Site(CollectorRegistry()), "127.0.0.1", 0, allowed_hosts="metrics.test").start()) as server:
        parts = urlsplit(server.url)
        for host, answer in (("evil.test", refused), ("metrics.test", (200, "ok\n")), (parts.netloc, (200, "ok\n"))):
            with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)) as client:
                client.request("GET", "/livez", headers={"Host": host})
                with client.getresponse() as found:
                    assert (found.status, found.read().decode()) == answer


def test_the_names_and_the_site_change_while_it_serves():
    """From the next request on, also on a connection that is open."""
    site = Site(CollectorRegistry(), service="before")
    with closing(Server(site, "127.0.0.1", 0).start()) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=DEADLINE)
        with closing(connection):
            assert _asked(connection)[0] == 421
            server.show(replace(site, service="after"), "proxy.example")
            status, body = _asked(connection)
    assert status == 200
    assert "<h1>after</h1>" in body


def _asked(connection):
    connection.request("GET", "/", headers={"Host": "proxy.example"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
