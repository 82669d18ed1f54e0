"""Users and their passwords, checked at a cost that no flood of wrong ones can drive up."""

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from enum import Enum
from threading import Lock

from manometer.serving.bcrypt import cost, matches, never_matched

__all__ = ["Credentials", "Verdict"]

REMEMBERED = 100
"""Pairs of user and password that were right, and as many that were wrong."""
WAITING = 3
"""Requests that wait for a check, of which there is one at a time: fewer than the server has threads for probes."""
WAITING_OF_ONE = 2
"""Those among them from one address, so that it does not take all the places."""
_REST = 3
"""After a wrong password, the next check waits so many times as long: all of them take a quarter of a core."""


class Verdict(Enum):
    """What becomes of a request."""

    RIGHT = "it is answered"
    WRONG = "the user or the password is wrong, or there is none"
    BUSY = "too many passwords wait for a check"


class Credentials:
    """Judges requests by their passwords.

    A check takes long, on purpose. So a pair that was checked is remembered, by a keyed hash and not as it is: a
    scraper costs one check in all. An unknown user costs a check as well, and cannot be told from a wrong password.
    check: whether a password is that of a bcrypt hash.
    """

    def __init__(
        self,
        check: Callable[[bytes, str], bool] = matches,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._check, self._clock, self._sleep = check, clock, sleep
        self._key = secrets.token_bytes(32)
        self._right, self._wrong = _Remembered(), _Remembered()
        self._waiting: list[str | None] = []
        self._lock = Lock()
        self._checking = Lock()

    def verdict(self, users: Mapping[str, str], authorization: str, peer: str | None) -> Verdict:
        """Judge a request.

        users: bcrypt hashes by name, at least one; authorization: the header of that name; peer: the address that
        the request comes from.
        """
        name, password = _basic(authorization)
        if name is None:
            return Verdict.WRONG
        hashed = users.get(name) or never_matched(max(users.values(), key=cost))
        pair = self._hidden(name.encode(errors="surrogateescape"), hashed.encode(), password)
        with self._lock:
            known = self._known(pair)
            if known is not None:
                return known
            if len(self._waiting) >= WAITING or self._waiting.count(peer) >= WAITING_OF_ONE:
                return Verdict.BUSY
            self._waiting.append(peer)
        try:
            with self._checking:
                return self._checked(pair, password, hashed)
        finally:
            with self._lock:
                self._waiting.remove(peer)

    def _known(self, pair: bytes) -> Verdict | None:
        if self._right.has(pair):
            return Verdict.RIGHT
        return Verdict.WRONG if self._wrong.has(pair) else None

    def _checked(self, pair: bytes, password: bytes, hashed: str) -> Verdict:
        with self._lock:
            known = self._known(pair)  # the same one may have waited before this one
        if known is not None:
            return known
        began = self._clock()
        is_right = self._check(password, hashed)
        took = self._clock() - began
        with self._lock:
            (self._right if is_right else self._wrong).add(pair)
        if not is_right:
            self._sleep(_REST * took)
        return Verdict.RIGHT if is_right else Verdict.WRONG

    def _hidden(self, *parts: bytes) -> bytes:
        hashing = hashlib.blake2b(key=self._key, digest_size=32)
        for part in parts:
            hashing.update(len(part).to_bytes(4, "big") + part)
        return hashing.digest()


class _Remembered:
    """What was seen last; what has been seen longest ago is forgotten first."""

    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def has(self, each: bytes) -> bool:
        if each not in self._seen:
            return False
        self.add(each)
        return True

    def add(self, each: bytes) -> None:
        self._seen.pop(each, None)
        self._seen[each] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]


def _basic(authorization: str) -> tuple[str | None, bytes]:
    """The user and the password of a header; no user where it has none."""
    scheme, _, told = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None, b""
    try:
        name, colon, password = base64.b64decode(told.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None, b""
    return (name.decode(errors="surrogateescape"), password) if colon else (None, b"")
