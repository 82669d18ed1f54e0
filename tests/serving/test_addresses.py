"""Addresses to listen on, as they are written."""

from pathlib import Path

import pytest

from manometer import ConfigError
from manometer.serving.addresses import Tcp, Unix, addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:9464", [Tcp("127.0.0.1", 9464)]),
        ("localhost:0", [Tcp("localhost", 0)]),
        (":9464", [Tcp("", 9464)]),
        ("[::1]:9464", [Tcp("::1", 9464)]),
        ("[fe80::1%eth0]:65535", [Tcp("fe80::1%eth0", 65535)]),
        ("unix:/run/app.sock", [Unix(Path("/run/app.sock"))]),
        (" :1 , [::]:2,unix:/a b.sock,", [Tcp("", 1), Tcp("::", 2), Unix(Path("/a b.sock"))]),
        (":1,:1", [Tcp("", 1)]),
    ],
)
def test_addresses_are_read(text, found):
    """Each form that exporter-toolkit's flag takes, and Unix sockets; one that is named twice is one."""
    assert list(addresses(text)) == found


@pytest.mark.parametrize(
    "text",
    ["9464", "127.0.0.1", "::1:9464", "[::1]", "a:b", ":65536", ":-1", "http://127.0.0.1:9464", "unix:run/app.sock"],
)
def test_anything_else_is_refused(text):
    """By its own words, with the forms that there are."""
    with pytest.raises(ConfigError) as raised:
        addresses(f":1,{text}")
    assert str(raised.value) == (
        f"listen_addresses has {text!r}; it takes 127.0.0.1:9464, [::1]:9464, :9464 for every address of the "
        "machine, or unix:/run/app.sock"
    )


def test_no_address_is_refused():
    """An exporter that listens nowhere is none."""
    with pytest.raises(ConfigError, match="listen_addresses names no address; it takes"):
        addresses(" , ")
