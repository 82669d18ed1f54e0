"""TLS of the exporter's server: who gets through, and who cannot hold anybody up."""

import socket
import ssl
import struct
import threading
from contextlib import closing, suppress

import pytest
from prometheus_client import CollectorRegistry, Gauge

from certificates import Authority
from manometer.serving import connection, tls
from manometer.serving.pages import Site
from manometer.serving.places import places
from manometer.serving.server import Server
from waiting import DEADLINE, readable, until

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
DEMANDED = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n"
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Certificates of a server, of clients that it knows, and of one that it does not."""
    folder = tmp_path_factory.mktemp("tls")
    Authority().write(folder, "server", "localhost", "127.0.0.1")
    clients = Authority("clients")
    (folder / "clients.crt").write_text(clients.pem)
    names = {"prometheus": ["prometheus.test", "10.1.2.3", "2001:db8::1", "a@b.test", "spiffe://a/b"], "other": ["x"]}
    for stem, sans in names.items():
        certificate, key = clients.signed(*sans)
        (folder / f"{stem}.crt").write_text(certificate)
        (folder / f"{stem}.key").write_text(key)
    certificate, key = Authority("strangers").signed("prometheus.test")
    (folder / "stranger.crt").write_text(certificate)
    (folder / "stranger.key").write_text(key)
    return folder


def serving(folder, text, registry=None):
    """A server with that web configuration."""
    path = folder / f"{threading.get_native_id()}.yml"
    path.write_text(text)
    site = Site(registry or CollectorRegistry())
    return closing(Server(site, "127.0.0.1", 0, web_config_file=str(path)).start())


def context(folder, client=None, **settings):
    """What a client connects with that knows the server's authority, and may have a certificate."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    if client is not None:
        context.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def plain(server):
    """A connection to the server without TLS."""
    port = int(server.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)


def ask(server, with_context, request=GET):
    """All of an answer, and what the connection was encrypted with; raises where there is none."""
    with plain(server) as raw, with_context.wrap_socket(raw, server_hostname="localhost") as client:
        client.sendall(request)
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
        if not parts:
            raise ConnectionError("no answer")
        return b"".join(parts), client.version(), client.cipher()[0]


def is_answered(server, with_context):
    """Whether a client gets through."""
    try:
        return ask(server, with_context)[0].startswith(b"HTTP/1.1 200 OK")
    except (ssl.SSLError, ConnectionError):
        return False


def refusals(registry, reason):
    """How many connections and requests were refused for such a reason."""
    labels = {"manometer_server_refusal_reason": reason}
    return registry.get_sample_value("manometer_server_refusals_total", labels)


def test_answers_are_encrypted_and_end_as_tls_wants_it(folder):
    """With the newest version; the server says that it closes, so that nothing can have been cut off."""
    with serving(folder, TLS) as server:
        assert server.url.startswith("https://127.0.0.1:")
        answer, version, _ = ask(server, context(folder, options=ssl.create_default_context().options))
    assert answer.endswith(b"\r\n\r\nok\n")
    assert version == "TLSv1.3"


@pytest.mark.parametrize("client", [None, "prometheus", "stranger"])
@pytest.mark.parametrize(
    ("kind", "answered"),
    [
        ("NoClientCert", {None, "prometheus", "stranger"}),
        ("RequestClientCert", {None, "prometheus", "stranger"}),
        ("VerifyClientCertIfGiven\n  client_ca_file: clients.crt", {None, "prometheus"}),
        ("RequireAndVerifyClientCert\n  client_ca_file: clients.crt", {"prometheus"}),
    ],
)
def test_clients_get_through_by_their_certificates(folder, kind, answered, client):
    """None, one of the authority, one of another."""
    with serving(folder, f"{TLS}  client_auth_type: {kind}\n") as server:
        assert is_answered(server, context(folder, client)) is (client in answered)


@pytest.mark.parametrize(
    "san", ["prometheus.test", "10.1.2.3", "2001:db8::1", "a@b.test", "spiffe://a/b", "PROMETHEUS.test", "test"]
)
def test_clients_are_allowed_by_name(folder, san):
    """By an exact name, address, e-mail address or URI; the others have none of these."""
    with serving(folder, f"{DEMANDED}  client_allowed_sans: [nobody, '{san}']\n") as server:
        assert is_answered(server, context(folder, "prometheus")) is (san not in ("PROMETHEUS.test", "test"))
        assert not is_answered(server, context(folder, "other"))


def test_refusals_are_counted(folder):
    """A handshake that failed, and a certificate of somebody else."""
    registry = CollectorRegistry()
    with serving(folder, f"{DEMANDED}  client_allowed_sans: [x]\n", registry) as server:
        for client in (None, "stranger", "prometheus"):
            assert not is_answered(server, context(folder, client))
        assert is_answered(server, context(folder, "other"))
        until(lambda: (refusals(registry, "handshake"), refusals(registry, "certificate")) == (2, 1))


def test_a_client_that_is_gone_before_the_handshake_is_no_fault_of_ours(folder, caplog):
    """As a load balancer that only looks whether somebody listens, and takes its connection back."""
    registry = CollectorRegistry()
    with serving(folder, TLS, registry) as server:
        for _ in range(3):
            with plain(server) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: refusals(registry, "handshake") == 3)
    assert caplog.messages == []


def test_an_address_of_a_certificate_that_is_none_allows_nobody():
    """Python's ssl tells one of a length that no address has so."""
    san = "IP Address", "<invalid>"
    in_force = tls.Tls.__new__(tls.Tls)
    in_force._allowed_sans = ["10.1.2.3"]
    assert not in_force.allows({"subjectAltName": (san,)})
    assert in_force.allows({"subjectAltName": (san, ("IP Address", "10.1.2.3"))})


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("key", ["min_version: TLS13", "max_version: TLS12"])
def test_versions_are_limited(folder, key, version):
    """Those outside are refused."""
    only = ssl.TLSVersion[version]
    with serving(folder, f"{TLS}  {key}\n") as server:
        allowed = (key == "min_version: TLS13") == (version == "TLSv1_3")
        assert is_answered(server, context(folder, minimum_version=only, maximum_version=only)) is allowed


def test_ciphers_are_chosen_in_the_order_of_the_file(folder):
    """Or of the client, where the server's is not preferred."""
    ours = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    suites = [
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ]
    client = context(folder, maximum_version=ssl.TLSVersion.TLSv1_2)
    for prefers, chosen in (("true", ours[0]), ("false", ours[1])):
        text = f"{TLS}  cipher_suites: [{', '.join(suites)}]\n  prefer_server_cipher_suites: {prefers}\n"
        with serving(folder, text) as server:
            client.set_ciphers(":".join(reversed(ours)))
            assert ask(server, client)[2] == chosen
            client.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
            assert not is_answered(server, client)


def test_ciphers_of_tls_1_3_alone_leave_tls_1_2_none(folder):
    """As in Go, where those of TLS 1.3 are all on in any case."""
    with serving(folder, f"{TLS}  cipher_suites: [TLS_AES_128_GCM_SHA256]\n") as server:
        assert not is_answered(server, context(folder, maximum_version=ssl.TLSVersion.TLSv1_2))
        assert is_answered(server, context(folder))


def test_one_curve_is_the_only_one(folder):
    """A client that has another gets no answer."""
    with serving(folder, f"{TLS}  curve_preferences: [CurveP384]\n") as server:
        for curve, is_right in (("secp384r1", True), ("secp521r1", False)):
            client = context(folder)
            client.set_ecdh_curve(curve)
            assert is_answered(server, client) is is_right


def test_a_client_without_tls_is_told(folder):
    """As Go's server tells it, and not by a connection that just ends."""
    with serving(folder, TLS) as server, plain(server) as client:
        client.sendall(GET)
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
    assert b"".join(parts).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"".join(parts).endswith(b"\r\n\r\nTLS is on here, so ask by https\n")


def test_handshakes_that_never_end_hold_nobody_up(folder):
    """More than there are connections, of clients that say nothing, or the beginning."""
    hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    begun = context(folder).wrap_bio(*hello, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    beginning = hello[1].read()[:50]
    with serving(folder, TLS) as server:
        silent = [plain(server) for _ in range(2 * places().held)]
        try:
            for each in silent[::2]:
                each.sendall(beginning)
            assert is_answered(server, context(folder))
        finally:
            for each in silent:
                each.close()


def test_a_handshake_ends_in_time(folder, monkeypatch):
    """Whatever the client sends meanwhile."""
    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    with serving(folder, TLS) as server, plain(server) as client:
        assert client.recv(1) == b""
        until(lambda: not server._reception._open)


def test_a_client_that_does_not_take_its_answer_is_dropped_in_time(folder, monkeypatch):
    """As a whole: each record of TLS gets no time of its own."""
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    registry = CollectorRegistry()
    wide = Gauge("wide", "Wide.", [f"label_{number}" for number in range(10)], registry=registry)
    for number in range(1000):
        wide.labels(*["x" * 1_000] * 9, "x" * 1_000 + str(number))
    with (
        serving(folder, TLS, registry) as server,
        plain(server) as raw,
        context(folder).wrap_socket(raw, server_hostname="localhost") as client,
    ):
        client.sendall(GET.replace(b"/livez", b"/metrics"))
        assert readable(client.fileno())
        until(lambda: not server._reception._open)
        received = 0
        with suppress(ssl.SSLError, ConnectionError):
            while part := client.recv(1 << 20):
                received += len(part)
        assert received < 10_000_000


def test_malformed_handshakes_cost_nobody_else(folder):
    """Whatever bytes come."""
    with serving(folder, TLS) as server:
        for sent in (b"\x16\x03\x01\xff\xff" + b"\0" * 400, b"\0" * 1000, b"\x80" + b"\xff" * 100):
            with plain(server) as rude, suppress(OSError):  # the server may have closed before
                rude.sendall(sent)
                rude.shutdown(socket.SHUT_WR)
                while rude.recv(1000):
                    pass
        assert is_answered(server, context(folder))
