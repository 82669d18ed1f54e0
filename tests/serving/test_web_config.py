"""exporter-toolkit's web configuration file: each documented key, right and wrong."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

import manometer.config
from certificates import Authority, locked_key
from manometer import ConfigError
from manometer.serving.pages import Site
from manometer.serving.rate import Rate
from manometer.serving.server import Server
from manometer.serving.web_config import WebConfig, web_config

HASH = "$2y$10$" + "a" * 53
TLS = """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
"""
CIPHERS = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
]
"""What Go's tls.CipherSuites has: https://pkg.go.dev/crypto/tls#CipherSuites"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an authority, a certificate, and things that are none."""
    folder = tmp_path_factory.mktemp("web")
    Authority().write(folder, "server", "localhost", "127.0.0.1")
    Authority().write(folder, "other", "localhost")
    (folder / "empty.pem").write_text("")
    (folder / "locked.key").write_text(locked_key("secret"))
    return folder


def load(folder, text):
    """Have a server read such a file, and close it."""
    path = folder / "web.yml"
    path.write_text(text)
    Server(Site(CollectorRegistry()), "127.0.0.1", 0, web_config_file=str(path)).close()
    return web_config(path)


VALID = {
    "nothing": "",
    "sections without a word": "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n",
    "a certificate": TLS,
    "no client certificate": f"{TLS}  client_auth_type: NoClientCert\n",
    "client certificates that are asked for": f"{TLS}  client_auth_type: RequestClientCert\n",
    "client certificates if given": f"{TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n",
    "client certificates": f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n",
    "allowed names": f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
    "  client_allowed_sans: [prometheus.test, 10.0.0.1]\n",
    "versions": f"{TLS}  min_version: TLS13\n  max_version: TLS13\n",
    "one version": f"{TLS}  min_version: TLS12\n  max_version: TLS12\n",
    "all ciphers": f"{TLS}  cipher_suites: [{', '.join(CIPHERS)}]\n",
    "ciphers of TLS 1.3 alone": f"{TLS}  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
    "the client's order": f"{TLS}  prefer_server_cipher_suites: false\n",
    **{
        f"the curve {curve}": f"{TLS}  curve_preferences:\n    - {curve}\n"
        for curve in ("CurveP256", "CurveP384", "CurveP521")
    },
    "blank optional keys": f"{TLS}  client_ca_file: ''\n  client_auth_type:\n  cert: ''\n",
    "http2": f"{TLS}http_server_config:\n  http2: true\n",
    "no http2": f"{TLS}http_server_config:\n  http2: false\n",
    "users": f"basic_auth_users:\n  alice: {HASH}\n  '7': '{HASH}'\n",
    "no rate": "rate_limit:\n  interval: 0\n",
}


@pytest.mark.parametrize("name", VALID)
def test_what_is_valid_is_taken(folder, name):
    """By a server, too."""
    assert load(folder, VALID[name])


def test_the_example_of_the_docs_is_valid(folder):
    """With certificates of these names."""
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (folder / "clients.crt").write_text((folder / "ca.crt").read_text())
    found = load(folder, example)
    assert found.tls.demands_certificates
    assert found.users
    assert found.rate == Rate(1, 20)
    assert found.headers == (("Strict-Transport-Security", "max-age=31536000"),)


INVALID = {
    "a list": ("- a\n", "line 1: the file takes keys: tls_server_config, http_server_config, basic_auth_users"),
    "a list within itself": ("a: &a [*a]\n", "line 1: it is nested too deeply"),
    "many levels": (f"a: {'[' * 20}{']' * 20}\n", "line 1: it is nested too deeply"),
    "a mapping within itself": ("&a\nb: *a\n", "it is nested too deeply"),
    "no YAML": ("a: [\n", "is no YAML: expected the node content, but found '<stream end>', line 2, column 1"),
    "a tab": (
        "tls_server_config:\n\tcert_file: a\n",
        "is no YAML: found character … that cannot start any token, line 2, column 1",
    ),
    "a key of nobody": (
        "tls_config:\n  cert_file: a\n",
        "line 1: the file has no 'tls_config'; did you mean tls_server",
    ),
    "a misspelt key": (
        f"{TLS}  cient_ca_file: ca.crt\n",
        "line 4: tls_server_config has no 'cient_ca_file'; did you mean client_ca_file?",
    ),
    "a key twice": (f"{TLS}  key_file: server.key\n", "line 4: key_file is there twice"),
    "an empty section": ("tls_server_config: {}\n", "line 1: TLS takes one of cert and cert_file"),
    "blank files": ("tls_server_config:\n  cert_file: ''\n  key_file: ''\n", "TLS takes one of cert and cert_file"),
    "no key": ("tls_server_config:\n  cert_file: server.crt\n", "line 1: TLS takes one of key and key_file"),
    "a version without a certificate": (
        "tls_server_config:\n  min_version: TLS13\n",
        "TLS takes one of cert and cert_file",
    ),
    "two certificates": (f"{TLS}  cert: abc\n", "line 4: TLS takes one of cert and cert_file"),
    "a certificate that is not there": (
        TLS.replace("server.crt", "none.crt"),
        "/none.crt cannot be read: No such file or directory",
    ),
    "a path that is none": (TLS.replace("server.crt", '"a\\0b"'), "cannot be read: embedded null byte"),
    "an empty certificate": (TLS.replace("server.crt", "empty.pem"), "the certificate and its key cannot be loaded:"),
    "another key": (
        TLS.replace("server.key", "other.key"),
        "line 2: the certificate and its key cannot be loaded: KEY_VALUES_MISMATCH",
    ),
    "a key with a passphrase": (
        TLS.replace("server.key", "locked.key"),
        "the key has a passphrase; take one without",
    ),
    "a client_auth_type of nobody": (
        f"{TLS}  client_auth_type: Always\n",
        "line 4: client_auth_type is 'Always'; it takes NoClientCert, RequestClientCert, VerifyClientCertIf",
    ),
    "any client certificate": (
        f"{TLS}  client_auth_type: RequireAnyClientCert\n",
        "client_auth_type RequireAnyClientCert takes whatever certificate without a check, which Python's ssl",
    ),
    "an authority and no policy": (
        f"{TLS}  client_ca_file: ca.crt\n",
        "line 4: client_ca needs a client_auth_type that asks for",
    ),
    "a policy and no authority": (
        f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n",
        "line 4: client_auth_type RequireAndVerifyClientCert takes one of client_ca and client_ca_file",
    ),
    "an authority that is not there": (
        f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: none.crt\n",
        "client_ca_file",
    ),
    "an authority that is none": (
        f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: empty.pem\n",
        "line 5: client_ca cannot be loaded: NO_CERTIFICATE_OR_CRL_FOUND",
    ),
    "names of clients that need no certificate": (
        f"{TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n  client_allowed_sans: [a]\n",
        "line 6: client_allowed_sans needs client_auth_type RequireAndVerifyClientCert",
    ),
    "a version of nobody": (
        f"{TLS}  min_version: TLS111\n",
        "line 4: min_version is 'TLS111'; it takes TLS12 or TLS13",
    ),
    "an old version": (f"{TLS}  min_version: TLS10\n", "line 4: min_version is TLS10, which RFC 8996 forbids"),
    "versions the wrong way round": (
        f"{TLS}  min_version: TLS13\n  max_version: TLS12\n",
        "line 4: min_version is over max_version",
    ),
    "a cipher of nobody": (f"{TLS}  cipher_suites: [TLS_ROT13]\n", "cipher_suites has 'TLS_ROT13'; it takes TLS_AES"),
    "an unsafe cipher": (
        f"{TLS}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n",
        "cipher_suites has 'TLS_RSA_WITH_RC4",
    ),
    "no cipher of the version": (
        f"{TLS}  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
        "line 5: cipher_suites has those of TLS 1.3 alone, and max_version is TLS12",
    ),
    "a cipher and no list": (f"{TLS}  cipher_suites: TLS_AES_128_GCM_SHA256\n", "it takes a list of texts"),
    "a list of lists": (f"{TLS}  cipher_suites: [[a]]\n", "line 4: cipher_suites takes a text"),
    "a curve of nobody": (
        f"{TLS}  curve_preferences: [CurveP255]\n",
        "line 4: curve_preferences has 'CurveP255'; it takes Cur",
    ),
    "several curves": (
        f"{TLS}  curve_preferences: [X25519, CurveP256]\n",
        "line 4: curve_preferences has several curves, and Python's ssl takes one; name one, or none",
    ),
    "a preference that is none": (
        f"{TLS}  prefer_server_cipher_suites: sometimes\n",
        "line 4: prefer_server_cipher_suites is 'sometimes'; it takes true or false",
    ),
    "http2 that is none": ("http_server_config:\n  http2: 2\n", "line 2: http2 is '2'; it takes true or false"),
    "a header of nobody": (
        "http_server_config:\n  headers:\n    Server: mine\n",
        "line 3: headers has no 'Server'; there are Content-Security-Policy, X-Frame-Options",
    ),
    "a frame option of nobody": (
        "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
        "line 3: X-Frame-Options is 'allow'; it takes one of deny, sameorigin",
    ),
    "a content type option of nobody": (
        "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n",
        "line 3: X-Content-Type-Options is 'sniff'; it takes one of nosniff",
    ),
    "a header of two lines": (
        'http_server_config:\n  headers:\n    X-XSS-Protection: "0\\r\\nSet-Cookie: a=b"\n',
        "line 3: X-XSS-Protection is",
    ),
    "users that are a list": ("basic_auth_users: [alice]\n", "line 1: basic_auth_users takes users with the bcrypt"),
    "a rate of nobody": (
        "rate_limit:\n  interval: often\n",
        "line 2: interval is 'often'; it takes a duration such as",
    ),
    "a rate of nothing": (
        "rate_limit:\n  interval: 1s\n  burst: 0\n",
        "line 3: burst is '0'; it takes a whole number",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_invalid_is_refused(folder, name):
    """By file, by line where there is one, and with what the key takes; nothing listens then."""
    text, reason = INVALID[name]
    with pytest.raises(ConfigError) as raised:
        load(folder, text)
    assert f"the web configuration file {folder / 'web.yml'}" in str(raised.value)
    assert reason in str(raised.value)


def test_a_curve_that_this_python_cannot_choose_is_refused(folder):
    """It depends on the version of Python; refused is as good as taken, and another error is not."""
    with suppress(ConfigError):
        assert load(folder, f"{TLS}  curve_preferences: [X25519]\n")


def test_a_password_in_the_place_of_its_hash_is_not_shown(folder):
    """Nor what YAML cannot read of it."""
    with pytest.raises(ConfigError) as raised:
        load(folder, "basic_auth_users:\n  alice: hunter2\n")
    assert str(raised.value) == (
        f"the web configuration file {folder / 'web.yml'}, line 2: basic_auth_users: the password of 'alice' takes "
        "a bcrypt hash, which htpasswd -nBC 10 makes"
    )
    with pytest.raises(ConfigError) as raised:
        load(folder, "basic_auth_users:\n  alice: *hunter2\n")
    assert str(raised.value) == (
        f"the web configuration file {folder / 'web.yml'} is no YAML: found undefined alias …, line 2, column 10"
    )


def test_what_a_file_says_is_kept(folder):
    """Texts as they are written, whatever type YAML sees in them; a blank header is none."""
    found = load(
        folder,
        "http_server_config:\n  headers:\n    X-XSS-Protection: 0\n    X-Frame-Options: deny\n"
        "    Content-Security-Policy: ''\n"
        f"basic_auth_users:\n  7: {HASH}\nrate_limit:\n  interval: 1m0.5s\n  burst: 20\n",
    )
    assert found == WebConfig(
        headers=(("X-XSS-Protection", "0"), ("X-Frame-Options", "deny")), users={"7": HASH}, rate=Rate(60.5, 20)
    )


def test_certificates_may_stand_in_the_file(folder):
    """The server's, its key and the authority of clients."""
    authority = Authority()
    certificate, key = authority.signed("localhost")
    texts = {"cert": certificate, "key": key, "client_ca": authority.pem}
    lines = ["tls_server_config:", "  client_auth_type: RequireAndVerifyClientCert"]
    for name, pem in texts.items():
        lines += [f"  {name}: |", *(f"    {line}" for line in pem.splitlines())]
    found = load(folder, "\n".join([*lines, ""]))
    assert (found.tls.cert, found.tls.key, found.tls.client_ca) == (certificate, key, authority.pem)


def test_relative_paths_start_at_the_file(folder, tmp_path, monkeypatch):
    """Not at where the program runs."""
    monkeypatch.chdir(tmp_path)
    assert load(folder, TLS).files == [folder / "server.crt", folder / "server.key"]


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    """One that is not there, a folder, one that is huge, one that is no text."""
    for path, reason in ((tmp_path / "none.yml", "No such file or directory"), (tmp_path, "is no file")):
        with pytest.raises(ConfigError, match=reason):
            web_config(path)
    path = tmp_path / "web.yml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        web_config(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="has over 1,000,000 bytes"):
        web_config(path)
    path.write_text("[" * 100_000)
    with pytest.raises(ConfigError):
        web_config(path)


def test_the_extra_is_named_where_it_is_missing(folder, monkeypatch):
    """For the file itself, and for users."""
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(ConfigError, match=r"basic_auth_users needs an extra: pip install 'manometer\[web\]'"):
        load(folder, VALID["users"])
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "manometer.config.yaml", raising=False)
    monkeypatch.delattr(manometer.config, "yaml", raising=False)
    with pytest.raises(ConfigError, match=r"web.yml needs an extra: pip install 'manometer\[web\]'"):
        load(folder, "")
