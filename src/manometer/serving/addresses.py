"""Where the exporter listens: a host and a port, or the path of a Unix socket."""

import re
from pathlib import Path
from typing import NamedTuple

from manometer.config.rules import ADDRESS, ADDRESSES
from manometer.errors import ConfigError
from manometer.redaction import brief

__all__ = ["Address", "AddressError", "Tcp", "Unix", "addresses"]

_ADDRESS = re.compile(ADDRESS)


class AddressError(ConfigError):
    """An address that cannot be had. reason: why; setting: the one to change, such as `port`."""

    def __init__(self, reason: str, setting: str) -> None:
        super().__init__(f"{reason}; set MANOMETER_{setting.upper()} or pass {setting}=...")
        self.reason, self.setting = reason, setting


class Tcp(NamedTuple):
    """host: a name or an address, empty for every address of the machine; port: 0 for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"port {self.port} on {self.host or 'every address'}"


class Unix(NamedTuple):
    """The path of a Unix socket."""

    path: Path

    def __str__(self) -> str:
        return f"the Unix socket {self.path}"


Address = Tcp | Unix


def addresses(text: str) -> tuple[Address, ...]:
    """The addresses of a text with commas between them, in the forms of exporter-toolkit's --web.listen-address.

    A Unix socket, which exporter-toolkit does not have, is written as in unix:/run/app.sock.
    Raises ConfigError for a text in no such form.
    """
    found = dict.fromkeys(_address(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise ConfigError(f"listen_addresses names no address; it takes {ADDRESSES.allowed}")
    return tuple(found)


def _address(text: str) -> Address:
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ConfigError(f"listen_addresses has {brief(text)!r}; it takes {ADDRESSES.allowed}")
    in_brackets, host, port, path = found.groups()
    return Unix(Path(path)) if path else Tcp(in_brackets or host, int(port))
