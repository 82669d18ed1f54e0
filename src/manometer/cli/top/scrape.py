"""One scrape of a target: every sample with its labels, and when it was taken."""

import http.client
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from manometer.errors import ConfigError, ManometerError
from manometer.redaction import without_secrets

__all__ = ["Labels", "Scrape", "TargetError", "WrongTargetError", "fetch", "metrics_url", "parse"]

TIME_OUT = 5.0
"""Seconds that a target may take to answer, the last byte included."""
NAME_TIME_OUT = 2.0
"""Seconds of them that the host's name may take to be looked up."""
LARGEST = 64_000_000
"""Bytes of an answer that are read."""

_CHUNK = 1 << 20
_OF_URLS = "%:/?#[]@!$&()*+,;="  # characters with a meaning of their own in a URL, and so left as they are

Labels = frozenset[tuple[str, str]]
T = TypeVar("T")


class TargetError(ManometerError):
    """A target that did not answer with figures; it may yet."""


class WrongTargetError(TargetError):
    """A target that will not answer with figures, however long one waits: the address is wrong."""


class Scrape(NamedTuple):
    """Samples by name, then by labels; `at` is in seconds of a monotonic clock."""

    at: float
    samples: Mapping[str, Mapping[Labels, float]]


def metrics_url(address: str) -> str:
    """Complete an address to the URL of its figures; ConfigError where it is none.

    It may have user and password, as in http://user:password@host:9464. `without_secrets` finds them in the result.
    """
    before, at, host = address.rpartition("@")
    address = quote(before, _OF_URLS, errors="surrogateescape") + at + host  # spaces and quotes of a password
    whole = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(whole)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known:
        raise ConfigError(
            f"{without_secrets(address)!r} is no address of a program; write it as http://127.0.0.1:9464"
        )
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else "/metrics", fragment=""))


def fetch(url: str, seconds: float = TIME_OUT) -> Scrape:
    """Scrape the target; TargetError or WrongTargetError with the reason where that fails.

    seconds: that the target may take to answer; the figures are read from its answer after that.
    """
    deadline = time.monotonic() + seconds
    host = urlsplit(url).hostname or ""
    looking, answering = min(NAME_TIME_OUT, seconds), TargetError(f"it did not answer in {seconds:.2g} s")
    nameless = WrongTargetError(f"the name {host} could not be looked up in {looking:.2g} s")
    _within(looking, nameless, lambda: _look_up(host))
    body, content_type = _within(deadline - time.monotonic(), answering, lambda: _get(url, deadline))
    at = time.monotonic()
    try:
        return parse(body.decode(), content_type, at=at)
    except ValueError:
        raise WrongTargetError("its answer is not in Prometheus's format") from None


def parse(body: str, content_type: str = "text/plain", *, at: float) -> Scrape:
    """Read an exposition; ValueError where it is malformed."""
    read = (
        openmetrics_parser.text_string_to_metric_families
        if content_type == "application/openmetrics-text"
        else parser.text_string_to_metric_families
    )
    samples: dict[str, dict[Labels, float]] = {}
    try:
        for family in read(body):
            for sample in family.samples:
                samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = float(sample.value)
    except (LookupError, TypeError, AttributeError) as error:  # what the parsers raise too for what they cannot read
        raise ValueError(str(error)) from error
    return Scrape(at, samples)


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

    Thread(target=run, name="manometer-top-scrape", daemon=True).start()
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


def _get(url: str, deadline: float) -> tuple[bytes, str]:
    """The target's answer and its content type."""
    # No proxy from the environment: it would stand between this program and its neighbour.
    opener = build_opener(ProxyHandler({}))
    request = _request(url)
    try:
        with opener.open(request, timeout=max(deadline - time.monotonic(), 0.001)) as answer:
            return _read(answer, deadline), answer.headers.get_content_type()
    except HTTPError as error:
        error.close()
        kind = WrongTargetError if error.code < 500 else TargetError  # a program that starts may answer 503
        raise kind(f"it answered {error.code} {error.reason}") from None
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


def _request(url: str) -> Request:
    """The request for the figures, with user and password of the URL as basic authentication has them."""
    parts = urlsplit(url)
    _, named, host = parts.netloc.rpartition("@")
    place = urlunsplit(parts._replace(netloc=host))
    request = Request(place, headers={"Accept": "text/plain;version=0.0.4"})  # noqa: S310 - http alone, see metrics_url
    if named:
        pair = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
        # A host that this one redirects to does not get to know them.
        request.add_unredirected_header("Authorization", f"Basic {b64encode(pair).decode()}")
    return request


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise WrongTargetError(f"its answer is longer than {LARGEST / 1e6:g} MB")
        if time.monotonic() > deadline:  # nobody waits for it any more
            raise TimeoutError
    return bytes(body)
