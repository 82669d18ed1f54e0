"""One HTTP request of a command: a deadline for all of it, the URL's user and password, and errors in a few words."""

import http.client
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

from manometer.errors import ConfigError, ManometerError
from manometer.redaction import without_secrets

__all__ = ["TIME_OUT", "Answer", "TargetError", "WrongTargetError", "get", "place"]

TIME_OUT = 5.0
"""Seconds that a target may take to answer, the last byte included."""
NAME_TIME_OUT = 2.0
"""Seconds of them that the host's name may take to be looked up."""
LARGEST = 64_000_000
"""Bytes of an answer that are read."""

_CHUNK = 1 << 20
_OF_URLS = "%:/?#[]@!$&()*+,;="  # characters with a meaning of their own in a URL, and so left as they are

T = TypeVar("T")


class TargetError(ManometerError):
    """A target that did not answer as it should; it may yet."""


class WrongTargetError(TargetError):
    """A target that will not answer as it should, however long one waits: the address is wrong."""


class Answer(NamedTuple):
    """What a target answered, whatever its status. reason: the status in words."""

    status: int
    reason: str
    content_type: str
    body: bytes


def place(address: str, what: str, example: str) -> SplitResult:
    """The parts of an address, which may have user and password, and no scheme.

    what: whose address it should be; example: how to write one. Both are for the ConfigError where it is none.
    """
    before, at, host = address.rpartition("@")
    address = quote(before, _OF_URLS, errors="surrogateescape") + at + host  # spaces and quotes of a password
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known:
        raise ConfigError(f"{without_secrets(address)!r} is no address of {what}; write it as {example}")
    return parts


def get(url: str, accept: str, seconds: float = TIME_OUT) -> Answer:
    """Send the request; TargetError or WrongTargetError with the reason where no answer comes.

    accept: the content type that is asked for; seconds: that the target may take to answer.
    """
    deadline = time.monotonic() + seconds
    host = urlsplit(url).hostname or ""
    looking, answering = min(NAME_TIME_OUT, seconds), TargetError(f"it did not answer in {seconds:.2g} s")
    nameless = WrongTargetError(f"the name {host} could not be looked up in {looking:.2g} s")
    _within(looking, nameless, lambda: _look_up(host))
    return _within(deadline - time.monotonic(), answering, lambda: _get(_request(url, accept), deadline))


def _within(seconds: float, otherwise: TargetError, work: Callable[[], T]) -> T:
    """What `work` returns or raises; `otherwise` is raised where it takes longer, or says itself that it did.

    It runs in a thread, which is then left behind: a look-up of a name cannot be stopped, and a server that
    sends a byte now and then keeps any time-out of a socket from passing.
    """
    ended: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((work(), None))
        except BaseException as error:
            ended.put((None, error))

    Thread(target=run, name="manometer-request", daemon=True).start()
    try:
        result, error = ended.get(timeout=max(seconds, 0.001))
    except Empty:
        raise otherwise from None
    if isinstance(error, TimeoutError):
        raise otherwise from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _look_up(host: str) -> None:
    try:
        socket.getaddrinfo(host, None)
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no name"
        raise WrongTargetError(f"there is no host {host!r}: {reason.lower()}") from None


def _get(request: Request, deadline: float) -> Answer:
    # No proxy from the environment: it would stand between this program and its neighbour.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(request, timeout=max(deadline - time.monotonic(), 0.001)) as answer:
            return Answer(answer.status, answer.reason, answer.headers.get_content_type(), _read(answer, deadline))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.reason, error.headers.get_content_type(), _read(error, deadline))
    except TimeoutError:
        raise
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            reason = error.reason.verify_message.rstrip(".")
            raise WrongTargetError(
                f"its certificate does not pass ({reason}); SSL_CERT_FILE names the authorities that are trusted"
            ) from None
        if isinstance(error.reason, TimeoutError):
            raise error.reason from None
        raise TargetError(str(getattr(error.reason, "strerror", None) or error.reason).lower()) from None
    except http.client.InvalidURL:
        raise WrongTargetError("that is no URL") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TargetError(str(error).lower() or type(error).__name__) from None


def _request(url: str, accept: str) -> Request:
    """The request, with user and password of the URL as basic authentication has them."""
    parts = urlsplit(url)
    _, named, host = parts.netloc.rpartition("@")
    bare = urlunsplit(parts._replace(netloc=host))
    request = Request(bare, headers={"Accept": accept})  # noqa: S310 - http alone, see place
    if named:
        pair = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
        # A host that this one redirects to does not get to know them.
        request.add_unredirected_header("Authorization", f"Basic {b64encode(pair).decode()}")
    return request


def _read(answer: http.client.HTTPResponse | HTTPError, deadline: float) -> bytes:
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise WrongTargetError(f"its answer is longer than {LARGEST / 1e6:g} MB")
        if time.monotonic() > deadline:  # nobody waits for it any more
            raise TimeoutError
    return bytes(body)
