"""The figures for a Pushgateway, by one HTTP request."""

from base64 import b64encode
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from manometer.redaction import brief

__all__ = ["push"]

SECONDS = 5.0
"""Time that a gateway may take to connect, and to answer."""
_ANSWER = 10_000  # bytes that are read of it
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def push(url: str, figures: bytes) -> None:
    """Put the figures in the place of those that the gateway has at the URL; OSError with the reason where it cannot.

    url: of a group there, such as http://gateway:9091/metrics/job/nightly; its user and password are sent.
    """
    try:
        with urlopen(_request(url, figures), timeout=SECONDS) as answer:  # noqa: S310 - the setting takes http alone
            answer.read(_ANSWER)
    except HTTPError as error:
        with error:
            told = brief(error.read(_ANSWER).decode(errors="replace"))
        raise OSError(f"it answered {error.code} {error.reason}{f': {told}' if told else ''}") from None
    except URLError as error:
        raise OSError(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except (HTTPException, ValueError) as error:
        raise OSError(str(error) or type(error).__name__) from None


def _request(url: str, figures: bytes) -> Request:
    parts = urlsplit(url)
    _, named, host = parts.netloc.rpartition("@")
    headers = {"Content-Type": _TEXT}
    if named:
        pair = b":".join(unquote_to_bytes(part or "") for part in (parts.username, parts.password))
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    return Request(urlunsplit(parts._replace(netloc=host)), figures, headers, method="PUT")  # noqa: S310 - as above
