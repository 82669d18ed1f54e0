"""A scrape is read whatever the format, and an address is completed."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from manometer.cli.top.snapshot import TargetError, fetch, metrics_url, parse
from manometer.errors import ConfigError
from manometer.exporter.http import Site
from manometer.exporter.server import Server


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://127.0.0.1:9464", "http://127.0.0.1:9464/metrics"),
        ("http://127.0.0.1:9464/", "http://127.0.0.1:9464/metrics"),
        ("127.0.0.1:9464", "http://127.0.0.1:9464/metrics"),
        ("localhost", "http://localhost/metrics"),
        ("https://[::1]:1/own/path?x=1#y", "https://[::1]:1/own/path?x=1"),
    ],
)
def test_an_address_is_completed(address, url):
    """Scheme and path may be left out."""
    assert metrics_url(address) == url


@pytest.mark.parametrize("address", ["", "ftp://x", "file:///etc/passwd", "http://", "http://x:port", "http://[::1"])
def test_what_is_no_address_is_refused(address):
    """With what one looks like."""
    with pytest.raises(ConfigError, match=r"is no address of a program; write it as http://127\.0\.0\.1:9464"):
        metrics_url(address)


def test_both_formats_read_alike():
    """The text and the OpenMetrics form of one registry give the same samples."""
    registry = CollectorRegistry()
    Counter("c", "C.", ["a"], registry=registry).labels("x").inc(3)
    Histogram("h", "H.", registry=registry).observe(0.2, {"trace_id": "ab"})
    text = parse(generate_latest(registry).decode(), at=1.0)
    open_ = parse(generate_openmetrics(registry).decode(), "application/openmetrics-text", at=1.0)
    assert text.samples["c_total"] == open_.samples["c_total"] == {frozenset({("a", "x")}): 3.0}
    assert text.samples["h_bucket"] == open_.samples["h_bucket"]


def test_a_program_is_scraped(figures):
    """Over a socket, with the time of it."""
    Counter("c", "C.", registry=figures.registry).inc()
    server = Server(Site(figures.registry), "127.0.0.1", 0).start()
    try:
        assert fetch(f"{server.url}/metrics").samples["c_total"] == {frozenset(): 1.0}
        with pytest.raises(TargetError, match="it answered 404 Not Found"):
            fetch(f"{server.url}/nothing")
        with pytest.raises(TargetError, match="its answer is not in Prometheus's format"):
            fetch(server.url)
        url = server.url
    finally:
        server.close()
    with pytest.raises(TargetError, match="connection refused"):
        fetch(url)
