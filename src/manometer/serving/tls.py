"""TLS of the exporter's server: what exporter-toolkit's configuration says of it, as Python's ssl takes it."""

import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from manometer.errors import ConfigError

__all__ = ["Tls", "TlsError", "TlsServer"]

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_OLD_VERSIONS = ("TLS10", "TLS11")
_CHECKED = {"VerifyClientCertIfGiven": ssl.CERT_OPTIONAL, "RequireAndVerifyClientCert": ssl.CERT_REQUIRED}
_UNCHECKED = ("NoClientCert", "RequestClientCert")
"""Nothing is done with a certificate that is asked for and not checked, so none is asked for."""
_ANY = ("RequireAnyClientCert", "RequireClientCert")
_OF_TLS_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_CIPHERS = {
    f"TLS_ECDHE_{signed}_WITH_{go}": f"ECDHE-{signed}-{openssl}"
    for signed in ("ECDSA", "RSA")
    for go, openssl in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
        ("AES_128_CBC_SHA", "AES128-SHA"),
        ("AES_256_CBC_SHA", "AES256-SHA"),
    )
}
"""OpenSSL's names by Go's, of those before TLS 1.3 that Go calls secure."""
_CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}
_CURVE_KEY = "curve_preferences"
_AUTHORITY = "client_ca", "client_ca_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServer:
    """The section tls_server_config, under its own names."""

    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    client_ca_file: Path | None = None
    client_auth_type: str = "NoClientCert"
    client_allowed_sans: Sequence[str] | None = None
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: Sequence[str] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Sequence[str] = ()

    @property
    def files(self) -> list[Path]:
        """The files that it names."""
        return [each for each in (self.cert_file, self.key_file, self.client_ca_file) if each is not None]

    @property
    def demands_certificates(self) -> bool:
        """Whether only clients with a certificate that is right get an answer."""
        return self.client_auth_type == "RequireAndVerifyClientCert"


class TlsError(ConfigError):
    """The section is wrong. keys: what of it the error is about; the first that the file has tells the line."""

    def __init__(self, reason: str, *keys: str) -> None:
        super().__init__(reason)
        self.keys = keys


class Tls:
    """What connections are encrypted with.

    Raises TlsError for what is wrong, and for what Python's ssl cannot do.
    """

    def __init__(self, server: TlsServer) -> None:
        self._allowed_sans = server.client_allowed_sans
        self.context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _limit_versions(context, server)
        _load_certificate(context, server)
        _ask_for_certificates(context, server)
        _choose_ciphers(context, server)
        _choose_curve(context, server.curve_preferences)

    def allows(self, certificate: Mapping[str, Any] | None) -> bool:
        """Whether a client with that certificate, as ssl's getpeercert has it, is one of client_allowed_sans."""
        if self._allowed_sans is None:
            return True
        names = (certificate or {}).get("subjectAltName", ())
        return any(_san(kind, name) in self._allowed_sans for kind, name in names)


def _san(kind: str, name: str) -> str | None:
    """The name as it is allowed; None for an address that is none, as a certificate may have."""
    if kind != "IP Address":
        return name
    try:
        return str(ip_address(name.strip()))
    except ValueError:
        return None


def _limit_versions(context: ssl.SSLContext, server: TlsServer) -> None:
    for key, version in (("min_version", server.min_version), ("max_version", server.max_version)):
        if version in _OLD_VERSIONS:
            raise TlsError(f"{key} is {version}, which RFC 8996 forbids; it takes TLS12 or TLS13", key)
        if version not in _VERSIONS:
            raise TlsError(f"{key} is {version!r}; it takes TLS12 or TLS13", key)
    if server.min_version > server.max_version:
        raise TlsError("min_version is over max_version", "min_version", "max_version")
    context.minimum_version, context.maximum_version = _VERSIONS[server.min_version], _VERSIONS[server.max_version]


def _load_certificate(context: ssl.SSLContext, server: TlsServer) -> None:
    for name, inline, file in (("cert", server.cert, server.cert_file), ("key", server.key, server.key_file)):
        if (inline is None) == (file is None):
            raise TlsError(f"TLS takes one of {name} and {name}_file", name)
    with tempfile.TemporaryDirectory(prefix="manometer-") as folder:  # ssl reads files alone; nobody else's may look
        certificate = server.cert_file or _written(Path(folder, "cert"), server.cert)
        key = server.key_file or _written(Path(folder, "key"), server.key)
        _check_readable(certificate, "cert_file")
        _check_readable(key, "key_file")
        try:
            context.load_cert_chain(certificate, key, _no_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise TlsError(f"the certificate and its key cannot be loaded: {reason}", "cert_file", "cert") from None


def _no_password() -> str:
    """Else OpenSSL would ask at the terminal."""
    raise ValueError("the key has a passphrase; take one without")


def _written(path: Path, text: str | None) -> Path:
    path.write_text(text or "", encoding="utf-8")
    return path


def _check_readable(path: Path, key: str) -> None:
    try:
        path.open("rb").close()
    except (OSError, ValueError) as error:
        raise TlsError(f"{key} {path} cannot be read: {getattr(error, 'strerror', error)}", key) from None


def _ask_for_certificates(context: ssl.SSLContext, server: TlsServer) -> None:
    kind, has_ca = server.client_auth_type, server.client_ca is not None or server.client_ca_file is not None
    if kind in _ANY:
        raise TlsError(
            f"client_auth_type {kind} takes whatever certificate without a check, which Python's ssl cannot do; "
            "take RequireAndVerifyClientCert",
            "client_auth_type",
        )
    if kind not in (*_CHECKED, *_UNCHECKED):
        takes = ", ".join((*_UNCHECKED, *_CHECKED))
        raise TlsError(f"client_auth_type is {kind!r}; it takes {takes}", "client_auth_type")
    if server.client_allowed_sans is not None and kind != "RequireAndVerifyClientCert":
        needed = "client_auth_type RequireAndVerifyClientCert"
        raise TlsError(f"client_allowed_sans needs {needed}", "client_allowed_sans")
    if has_ca and kind == "NoClientCert":
        raise TlsError("client_ca needs a client_auth_type that asks for certificates", *_AUTHORITY)
    if kind in _UNCHECKED:
        return
    if (server.client_ca is None) == (server.client_ca_file is None):
        raise TlsError(f"client_auth_type {kind} takes one of client_ca and client_ca_file", "client_auth_type")
    if server.client_ca_file is not None:
        _check_readable(server.client_ca_file, "client_ca_file")
    try:
        context.load_verify_locations(cafile=server.client_ca_file, cadata=server.client_ca)
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TlsError(f"client_ca cannot be loaded: {reason}", *_AUTHORITY) from None
    context.verify_mode = _CHECKED[kind]


def _choose_ciphers(context: ssl.SSLContext, server: TlsServer) -> None:
    if not server.prefer_server_cipher_suites:
        context.options &= ~ssl.Options.OP_CIPHER_SERVER_PREFERENCE
    for name in server.cipher_suites:
        if name not in _CIPHERS and name not in _OF_TLS_13:
            takes = ", ".join((*_OF_TLS_13, *_CIPHERS))
            raise TlsError(f"cipher_suites has {name!r}; it takes {takes}", "cipher_suites")
    names = [_CIPHERS[name] for name in server.cipher_suites if name in _CIPHERS]
    if names:
        try:
            context.set_ciphers(":".join(names))
        except ssl.SSLError:
            raise TlsError("this machine's OpenSSL has none of the cipher_suites", "cipher_suites") from None
    elif server.cipher_suites:  # those of TLS 1.3 are all on, in Go too; of TLS 1.2 there are none then
        if server.max_version != "TLS13":
            raise TlsError("cipher_suites has those of TLS 1.3 alone, and max_version is TLS12", "cipher_suites")
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _choose_curve(context: ssl.SSLContext, curves: Sequence[str]) -> None:
    for name in curves:
        if name not in _CURVES:
            raise TlsError(f"{_CURVE_KEY} has {name!r}; it takes {', '.join(_CURVES)}", _CURVE_KEY)
    if len(curves) > 1:
        raise TlsError(f"{_CURVE_KEY} has several curves, and Python's ssl takes one; name one, or none", _CURVE_KEY)
    for name in curves:
        try:
            context.set_ecdh_curve(_CURVES[name])
        except (ssl.SSLError, ValueError):  # Python 3.11 knows X25519 only as one of those that it takes by itself
            raise TlsError(f"{_CURVE_KEY} has {name}, which this Python's ssl cannot choose", _CURVE_KEY) from None
