"""The web configuration file of exporter-toolkit: TLS, headers of answers, users, and a rate of requests.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md describes it.
"""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from manometer.errors import ConfigError
from manometer.redaction import brief
from manometer.serving.rate import Rate
from manometer.serving.tls import TlsError, TlsServer
from manometer.serving.yaml import Entry, entries

__all__ = ["WebConfig", "web_config"]

_TLS = "tls_server_config"
_BYTES_AT_MOST = 1_000_000
_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What a file says.

    headers: of every answer; users: a bcrypt hash by name; tls_lines: where the section of TLS and its keys stand.
    """

    tls: TlsServer | None = None
    headers: tuple[tuple[str, str], ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)
    rate: Rate | None = None
    tls_lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    def line_of(self, error: TlsError) -> int:
        """The line of the file that the error is about."""
        return next(self.tls_lines[key] for key in (*error.keys, _TLS) if key in self.tls_lines)

    @property
    def files(self) -> list[Path]:
        """The files that it names."""
        return [] if self.tls is None else self.tls.files


def web_config(path: Path) -> WebConfig:
    """Read the file. Paths in it are relative to its folder.

    Raises ConfigError naming the file, the line and the key, and no value that may be secret.
    """
    what = f"the web configuration file {path}"
    document = entries(_text_of(path, what), what)
    try:
        found = _mapping(document, "the file", _ROOT)
    except _LineError as error:
        raise ConfigError(f"{what}, line {error.line}: {error}") from None
    tls = found.get(_TLS)
    files = {key: path.parent / value for key, value in (tls or {}).items() if key.endswith("_file")}
    return WebConfig(
        None if tls is None else TlsServer(**{**tls, **files}),
        tuple(found.get("http_server_config", {}).get("headers", {}).items()),
        found.get("basic_auth_users", {}),
        Rate(**found["rate_limit"]) if found.get("rate_limit", {}).get("interval") else None,
        _lines(document, _TLS),
    )


def _lines(document: Entry, section: str) -> Mapping[str, int]:
    """The lines of a section and of its keys."""
    found = document.value[section] if isinstance(document.value, dict) and section in document.value else None
    if found is None:
        return {}
    keys = found.value.items() if isinstance(found.value, dict) else ()
    return {section: found.line, **{key: each.line for key, each in keys}}


class _LineError(ValueError):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


Reader = Callable[[Entry, str], Any]
"""Gives the value of an entry under a key; raises a _LineError that says what the key takes."""


def _refused(entry: Entry, key: str, takes: str, shown: bool = True) -> _LineError:
    there = f"is {brief(entry.value)!r}; it takes" if shown and isinstance(entry.value, str) else "takes"
    return _LineError(entry.line, f"{key} {there} {takes}")


def _text(entry: Entry, key: str) -> str:
    if not isinstance(entry.value, str):
        raise _refused(entry, key, "a text")
    return entry.value


def _texts(entry: Entry, key: str) -> tuple[str, ...]:
    if not isinstance(entry.value, list):
        raise _refused(entry, key, "a list of texts")
    return tuple(_text(each, key) for each in entry.value)


def _flag(entry: Entry, key: str) -> bool:
    found = _FLAGS.get(_text(entry, key).lower())
    if found is None:
        raise _refused(entry, key, "true or false")
    return found


def _one_of(*allowed: str) -> Reader:
    def read(entry: Entry, key: str) -> str:
        if _text(entry, key) not in allowed:
            raise _refused(entry, key, f"one of {', '.join(allowed)}")
        return _text(entry, key)

    return read


def _header(entry: Entry, key: str) -> str:
    if not _text(entry, key).isprintable() or not _text(entry, key).isascii():
        raise _refused(entry, key, "printable ASCII")
    return _text(entry, key)


def _duration(entry: Entry, key: str) -> float:
    """Seconds of a duration as Go writes it, such as 1m30s."""
    text = _text(entry, key)
    if re.fullmatch(f"({_DURATION.pattern})+", text):
        return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    if text != "0":
        raise _refused(entry, key, "a duration such as 500ms or 1m30s, or 0 for no limit")
    return 0.0


def _whole(entry: Entry, key: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", _text(entry, key)):
        raise _refused(entry, key, "a whole number from 1 up")
    return int(_text(entry, key))


def _users(entry: Entry, key: str) -> dict[str, str]:
    if entry.value == "":
        return {}
    if not isinstance(entry.value, dict):
        raise _refused(entry, key, "users with the bcrypt hashes of their passwords", shown=False)
    for name, hashed in entry.value.items():
        if not isinstance(hashed.value, str) or not _BCRYPT.fullmatch(hashed.value):
            takes = "a bcrypt hash, which htpasswd -nBC 10 makes"
            raise _refused(hashed, f"{key}: the password of {brief(name)!r}", takes, shown=False)
    return {name: str(hashed.value) for name, hashed in entry.value.items()}


def _section(**readers: Reader) -> Reader:
    def read(entry: Entry, key: str) -> dict[str, Any]:
        return _mapping(entry, key, readers)

    return read


def _mapping(entry: Entry, key: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The values of a section by their keys; one that is empty is not there."""
    if entry.value == "":
        return {}
    if not isinstance(entry.value, dict):
        raise _refused(entry, key, f"keys: {', '.join(readers)}", shown=False)
    for name, found in entry.value.items():
        if name not in readers:
            close = get_close_matches(name, readers)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(readers)}"
            raise _LineError(found.line, f"{key} has no {brief(name)!r}; {hint}")
    return {name: readers[name](found, name) for name, found in entry.value.items() if found.value != ""}


_ROOT: Mapping[str, Reader] = {
    _TLS: _section(
        cert=_text,
        key=_text,
        client_ca=_text,
        cert_file=_text,
        key_file=_text,
        client_ca_file=_text,
        client_auth_type=_text,
        client_allowed_sans=_texts,
        min_version=_text,
        max_version=_text,
        cipher_suites=_texts,
        prefer_server_cipher_suites=_flag,
        curve_preferences=_texts,
    ),
    "http_server_config": _section(
        http2=_flag,
        headers=_section(
            **{
                "Content-Security-Policy": _header,
                "X-Frame-Options": _one_of("deny", "sameorigin"),
                "X-Content-Type-Options": _one_of("nosniff"),
                "X-XSS-Protection": _header,
                "Strict-Transport-Security": _header,
            }
        ),
    ),
    "basic_auth_users": _users,
    "rate_limit": _section(interval=_duration, burst=_whole),
}


def _text_of(path: Path, what: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe could take for ever
            raise ConfigError(f"{what} is no file")
        with path.open("rb") as file:
            text = file.read(_BYTES_AT_MOST + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {what}: {error.strerror}") from None
    if len(text) > _BYTES_AT_MOST:
        raise ConfigError(f"{what} has over {_BYTES_AT_MOST:,} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{what} is no YAML: it is not UTF-8") from None
