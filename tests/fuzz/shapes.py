"""Requests to fuzz an HTTP server with: good ones, broken ones, and what is no request at all."""

import random
import string
from collections.abc import Sequence

__all__ = ["request"]

_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", "", "__class__", "PRI")
_PATHS = (
    *("/metrics", "/", "/livez", "/readyz", "/startupz", "/metrics/", "//metrics", "/metrics/../livez", "*", "?", ""),
    *("http://localhost/metrics", "/%6detrics", "/metrics%00", "/é", "/metrics;a=b", "/\x00", "/" + "a" * 70_000),
)
_VERSIONS = ("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.999", "HTTP/x", "HTTP/1", "", "http/1.1")
_NAMES = ("events_total", "work_seconds_bucket", "moody", "manometer_series", "depth", "nothing", "é", "%zz", "")
_HEADERS = {
    "Accept": (
        *(
            "*/*",
            "text/plain;version=0.0.4",
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            ",;=,;",
            "",
        ),
        *(
            "application/openmetrics-text;version=x",
            ",;=,;",
            "application/openmetrics-text; version=2.0.0; escaping=allow-utf-8",
        ),
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.9,text/plain",
        *(
            "text/plain;q=nan",
            "text/plain;version=99999999999999999999",
            "text/plain;escaping=",
            ";" * 5_000,
            "a/b," * 3_000,
        ),
    ),
    "Accept-Encoding": ("gzip", "gzip;q=0", "gzip;q=0.000", "identity", "*", "gzip;q=x", "br, gzip;q=0.1", ""),
    "X-Prometheus-Scrape-Timeout-Seconds": (
        "10",
        "0.1",
        "1",
        "-1",
        "0",
        "nan",
        "inf",
        "1e300",
        "1_0",
        "x",
        "9" * 400,
    ),
    "Host": ("localhost", "127.0.0.1:1", "[::1]:1", "evil.test", "[", "a" * 5_000, "", "\xff", "localhost:x"),
    "Connection": ("close", "keep-alive", "upgrade", "close, keep-alive", "\x0b"),
    "Content-Length": ("0", "5", "-1", "x", "99999999999999999999", "0, 0"),
    "Transfer-Encoding": ("chunked", "identity", "gzip, chunked", "x"),
    "Expect": ("100-continue", "x"),
    "Range": ("bytes=0-10",),
    "X-Forwarded-For": ("127.0.0.1", "1.2.3.4", "x"),
    "Upgrade": ("h2c", "websocket"),
}
_BODIES = (
    b"",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nx",
    b"-1\r\n\r\n",
    b"5;a=b\r\nhel",
    b"zz\r\n",
    b"\x00" * 3_000,
)


def request(chance: random.Random) -> bytes:
    """One, or some of them in a row."""
    kind = chance.random()
    if kind < 0.45:
        return _whole(chance)
    if kind < 0.75:
        return _broken(chance, _whole(chance))
    if kind < 0.85:
        return b"".join(_whole(chance) for _ in range(chance.randrange(2, 12)))
    if kind < 0.92:
        return chance.randbytes(chance.randrange(1, 3_000))
    return _long(chance)


def _whole(chance: random.Random) -> bytes:
    method, path, version = (_mostly(chance, kinds) for kinds in (_METHODS, _PATHS, _VERSIONS))
    lines = [f"{method} {path}{_query(chance)} {version}"]
    for _ in range(chance.choice((0, 1, 2, 3, 4, 8))):
        name = chance.choice([*_HEADERS])
        lines.append(f"{name}: {chance.choice(_HEADERS[name])}")
    end = chance.choice(("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"))
    body = chance.choice(_BODIES) if chance.random() < 0.2 else b""
    return (end.join(lines) + 2 * end).encode("utf-8") + body


def _mostly(chance: random.Random, kinds: Sequence[str]) -> str:
    """The first of them mostly."""
    return kinds[0] if chance.random() < 0.6 else chance.choice(kinds)


def _query(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.5:
        return ""
    if kind < 0.8:
        names = [chance.choice(_NAMES) for _ in range(chance.choice((1, 2, 5, 400)))]
        return "?" + "&".join(f"name[]={name}" for name in names)
    if kind < 0.9:
        return "?verbose"
    return "?" + "".join(chance.choice(string.printable) for _ in range(chance.randrange(200)))


def _broken(chance: random.Random, sent: bytes) -> bytes:
    """The request with some bytes changed, left out, doubled or put in, or cut off."""
    found = bytearray(sent)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(found) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            found[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            del found[at : at + chance.randrange(1, 20)]
        elif kind == 2:
            found[at:at] = found[at : at + chance.randrange(1, 50)]
        elif kind == 3:
            found[at:at] = chance.choice(
                (b"\r\n", b"\x00", b" ", b":", b"\r", b"\n\n", b"\xff\xfe", chance.randbytes(9))
            )
        elif chance.random() < 0.3:
            del found[at:]
    return bytes(found)


def _long(chance: random.Random) -> bytes:
    """A line, a header or a number of headers beyond what a server takes."""
    size = chance.choice((8_000, 65_530, 65_537, 300_000))
    return chance.choice(
        (
            b"GET /" + b"x" * size + b" HTTP/1.1\r\n\r\n",
            b"GET /livez HTTP/1.1\r\nX: " + b"x" * size + b"\r\n\r\n",
            b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * (size // 100) + b"\r\n",
            b"GET /metrics?" + b"name[]=a&" * (size // 9) + b" HTTP/1.1\r\n\r\n",
            b"\r\n" * (size // 2),
            b"x" * size,
        )
    )
