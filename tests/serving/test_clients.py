"""What the world asks with, by TLS, with a password and a certificate: curl, and Debian's Prometheus."""

import json
import subprocess
import urllib.error
import urllib.request
from contextlib import closing

import bcrypt
import pytest
from prometheus_client import CollectorRegistry

from certificates import Authority
from manometer import Counter
from manometer.serving.pages import Site
from manometer.serving.server import Server
from ports import reserved_port
from waiting import DEADLINE, until

pytestmark = pytest.mark.servers

WEB = """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.test]
http_server_config:
  headers:
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  prometheus: %s
"""
SCRAPES = """\
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: right
    scheme: https
    basic_auth: {username: prometheus, password: secret}
    tls_config: {ca_file: ca.crt, cert_file: prometheus.crt, key_file: prometheus.key}
    static_configs: [{targets: ["127.0.0.1:%(port)s"]}]
  - job_name: wrong_password
    scheme: https
    basic_auth: {username: prometheus, password: guess}
    tls_config: {ca_file: ca.crt, cert_file: prometheus.crt, key_file: prometheus.key}
    static_configs: [{targets: ["127.0.0.1:%(port)s"]}]
  - job_name: other_certificate
    scheme: https
    basic_auth: {username: prometheus, password: secret}
    tls_config: {ca_file: ca.crt, cert_file: other.crt, key_file: other.key}
    static_configs: [{targets: ["127.0.0.1:%(port)s"]}]
  - job_name: no_certificate
    scheme: https
    basic_auth: {username: prometheus, password: secret}
    tls_config: {ca_file: ca.crt}
    static_configs: [{targets: ["127.0.0.1:%(port)s"]}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Certificates of the server, of Prometheus and of another, all by one authority, and the web configuration."""
    folder = tmp_path_factory.mktemp("clients")
    authority = Authority()
    authority.write(folder, "server", "localhost", "127.0.0.1")
    authority.write(folder, "prometheus", "prometheus.test")
    authority.write(folder, "other", "other.test")
    (folder / "web.yml").write_text(WEB % bcrypt.hashpw(b"secret", bcrypt.gensalt(10)).decode())
    return folder


@pytest.fixture(scope="module")
def server(folder):
    """A server of a counter at 3, by TCP and by a Unix socket."""
    registry = CollectorRegistry()
    Counter("orders", "Help.", registry=registry).inc(3)
    where = f"127.0.0.1:0,unix:{folder / 'app.sock'}"
    web = str(folder / "web.yml")
    with closing(Server(Site(registry), "", 0, listen_addresses=where, web_config_file=web).start()) as server:
        yield server


@pytest.fixture
def curl(program, folder):
    """Runs curl in the folder: its exit status and what it printed."""
    found = program("curl", "curl")

    def run(*arguments):
        done = subprocess.run(
            [found, "--silent", "--show-error", "--max-time", str(DEADLINE), "--cacert", "ca.crt", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


BY_HTTP = (22,)
BY_TLS = (35, 52, 55, 56)
"""curl's codes for a handshake that failed, an answer that did not come, and sending and receiving that failed."""
CERTIFICATE = ("--cert", "prometheus.crt", "--key", "prometheus.key")
ORDERS = "# HELP orders_total Help.\n# TYPE orders_total counter\norders_total 3.0\n"


def test_curl_reads_the_figures(curl, server):
    """With a certificate and a password, by either version of TLS, and by HTTP/1.1 whatever curl offers."""
    for extra in ((), ("--tls-max", "1.2"), ("--http2",)):
        code, body = curl(*CERTIFICATE, "--user", "prometheus:secret", *extra, f"{server.url}/metrics")
        assert (code, body[: len(ORDERS)]) == (0, ORDERS)


def test_curl_reads_the_figures_by_a_unix_socket(curl, server):
    """The web configuration holds there too."""
    path = server.urls[1].removeprefix("unix:")
    options = ("--unix-socket", path, *CERTIFICATE)
    code, body = curl(*options, "--user", "prometheus:secret", "https://localhost/metrics")
    assert (code, body[: len(ORDERS)]) == (0, ORDERS)


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("--user", "prometheus:guess", *CERTIFICATE), BY_HTTP),
        (CERTIFICATE, BY_HTTP),
        (("--user", "prometheus:secret", "--cert", "other.crt", "--key", "other.key"), BY_TLS),
        (("--user", "prometheus:secret"), BY_TLS),
    ],
)
def test_curl_is_refused(curl, server, arguments, codes):
    """Without the password, or a certificate by that name, or any."""
    code, body = curl("--fail", *arguments, f"{server.url}/metrics")
    assert body == ""
    assert code in codes


def test_curl_sees_headers_and_probes(curl, server):
    """A probe needs no password; the headers are on its answer."""
    code, body = curl("--include", *CERTIFICATE, f"{server.url}/readyz")
    assert code == 0
    assert "\nStrict-Transport-Security: max-age=31536000\n" in body
    assert body.endswith("ok\n")


def test_prometheus_scrapes(program, server, folder):
    """With all that is asked for; each scrape that lacks something fails."""
    prometheus = program("prometheus", "prometheus")
    (folder / "prometheus.yml").write_text(SCRAPES % {"port": server.url.rpartition(":")[2]})
    with reserved_port() as port, (folder / "log").open("wb") as log:
        api = f"http://127.0.0.1:{port}/api/v1/targets"
        process = subprocess.Popen(
            [
                prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:

            def targets():
                assert process.poll() is None, (folder / "log").read_text()
                try:
                    with urllib.request.urlopen(api, timeout=DEADLINE) as answer:
                        found = json.load(answer)["data"]["activeTargets"]
                except OSError:
                    return None
                health = {each["labels"]["job"]: each["health"] for each in found}
                # The first time, a busy machine may take longer for a password than this Prometheus waits.
                told = any("401" in each["lastError"] for each in found)
                return told and health.get("right") == "up" and "unknown" not in health.values() and health

            assert until(targets, (folder / "log").read_text) == {
                "right": "up",
                "wrong_password": "down",
                "other_certificate": "down",
                "no_certificate": "down",
            }
        finally:
            process.terminate()
            process.wait(DEADLINE)
