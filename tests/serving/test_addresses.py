"""Addresses to listen on, as they are written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer import ConfigError, Settings
from manometer.serving.addresses import Tcp, Unix, addresses

FORMS = (
    "addresses with commas between them: 127.0.0.1:9464, [::1]:9464, :9464 for every address of the machine, or "
    "unix:/run/app.sock"
)


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
        (",:00080,,", [Tcp("", 80)]),
    ],
)
def test_addresses_are_read(text, found):
    """Each form that exporter-toolkit's flag takes, and Unix sockets; one that is named twice is one."""
    assert list(addresses(text)) == found
    assert Settings(listen_addresses=text).listen_addresses == text


@pytest.mark.parametrize(
    "text",
    [
        "9464",
        "127.0.0.1",
        "localhost",
        "::1:9464",
        "[::1]",
        "a:b",
        ":65536",
        ":99999",
        ":-1",
        ":\u0663",
        "a b:1",
        "http://127.0.0.1:9464",
        "unix:run/app.sock",
        "unix:",
    ],
)
def test_anything_else_is_refused(text):
    """By its own words, with the forms that there are; by the rule of the setting too."""
    with pytest.raises(ConfigError) as raised:
        addresses(f":1,{text}")
    assert str(raised.value) == f"listen_addresses has {text!r}; it takes {FORMS}"
    with pytest.raises(ConfigError) as raised:
        Settings(listen_addresses=f":1,{text}")
    assert str(raised.value).endswith(f"; it takes {FORMS}")


@pytest.mark.parametrize("text", [" , ", ""])
def test_no_address_is_refused(text):
    """An exporter that listens nowhere is none."""
    with pytest.raises(ConfigError, match="listen_addresses names no address; it takes"):
        addresses(text)
    with pytest.raises(ConfigError, match=r"listen_addresses is .*; it takes"):
        Settings(listen_addresses=text)


@given(st.lists(st.sampled_from([*":,[] a1/", "65535", "65536", "unix:", "::1"])).map("".join))
def test_the_setting_takes_what_can_be_read(text):
    """And nothing else, so that a file which passes `manometer config check` serves."""
    assert _passes(addresses, text) == _passes(lambda each: Settings(listen_addresses=each), text)


def _passes(read, text):
    try:
        read(text)
    except ConfigError:
        return False
    return True
