"""The web configuration that is in force: read again when the file, or a certificate that it names, has changed."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from manometer.errors import ConfigError
from manometer.registry.reloads import Reloads
from manometer.serving import bcrypt
from manometer.serving.rate import Bucket
from manometer.serving.tls import Tls, TlsError
from manometer.serving.web_config import WebConfig, web_config

__all__ = ["InForce", "LiveConfig"]

_log = logging.getLogger("manometer")


@dataclass(frozen=True, slots=True)
class InForce:
    """What a file says, and what was made of it."""

    said: WebConfig = field(default_factory=WebConfig)
    tls: Tls | None = None
    bucket: Bucket | None = None

    @property
    def defences(self) -> list[str]:
        """What keeps strangers out."""
        tls = self.said.tls
        there = {
            "TLS": tls is not None,
            "passwords": bool(self.said.users),
            "client certificates": tls is not None and tls.demands_certificates,
        }
        return [name for name, is_there in there.items() if is_there]


class LiveConfig:
    """in_force: what was so at the last look.

    reloads: told of each reading.

    Raises ConfigError where the file makes no sense at first.
    """

    def __init__(self, path: Path, reloads: Reloads) -> None:
        self._path, self._reloads = path, reloads
        self._seen: dict[Path, object] = {}
        self._lock = Lock()
        self.in_force = InForce()
        self.in_force = self._read()
        reloads.started()

    def current(self) -> InForce:
        """What is in force now; while another thread is reading the file, what was before."""
        if self._lock.acquire(blocking=False):
            try:
                if any(_stamp(path) != seen for path, seen in self._seen.items()):
                    self._read_again()
            finally:
                self._lock.release()
        return self.in_force

    def _read_again(self) -> None:
        try:
            self.in_force = self._read()
        except Exception as error:
            self._reloads.ended("refused")
            is_ours = not isinstance(error, ConfigError)
            _log.error("%s; what was in force before stays so", error, exc_info=is_ours)
        else:
            self._reloads.ended("ok")
            _log.info("the web configuration file %s was read again", self._path)

    def _read(self) -> InForce:
        self._seen = {self._path: _stamp(self._path)}  # before it is read: what changes meanwhile is a change
        said = web_config(self._path)
        self._seen |= {path: _stamp(path) for path in said.files}
        try:
            if said.users:
                bcrypt.require()
            found = InForce(said, None if said.tls is None else Tls(said.tls), self._bucket(said))
            self._refuse_less(found)
        except ConfigError as error:
            line = f", line {said.line_of(error)}" if isinstance(error, TlsError) else ""
            raise ConfigError(f"the web configuration file {self._path}{line}: {error}") from None
        return found

    def _bucket(self, said: WebConfig) -> Bucket | None:
        before = self.in_force.bucket
        if said.rate is None or (before is not None and before.rate == said.rate):
            return None if said.rate is None else before
        return Bucket(said.rate)

    def _refuse_less(self, found: InForce) -> None:
        """A file that is just being written may seem to have no users, or no TLS: that needs a new start."""
        lost = [each for each in self.in_force.defences if each not in found.defences]
        if lost:
            raise ConfigError(f"it has no {' and no '.join(lost)} any more; start the program anew for that")


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except (OSError, ValueError) as error:  # a path may be none at all
        return str(error)
    return found.st_mtime_ns, found.st_size, found.st_ino
