"""Several addresses, every address, and Unix sockets: each is served, and freed at the end."""

import os
import socket
import stat
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from forking import forked
from manometer import ConfigError
from manometer.serving.pages import Site
from manometer.serving.server import AddressError, Server
from waiting import DEADLINE, readable

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def serving(listen_addresses, **settings):
    """A server on these addresses."""
    site = Site(CollectorRegistry())
    return closing(Server(site, "127.0.0.1", 0, listen_addresses=listen_addresses, **settings).start())


def asked(client):
    """The status line and the body of an answer to a probe by a connected socket."""
    with client:
        client.settimeout(DEADLINE)
        client.sendall(LIVEZ)
        parts = []
        while part := client.recv(1 << 16):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


def by_url(url):
    """The answer of the address of a URL."""
    parts = urlsplit(url)
    return asked(socket.create_connection((parts.hostname, parts.port), timeout=DEADLINE))


def by_path(path):
    """The answer of a Unix socket."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return asked(client)


OK = b"HTTP/1.1 200 OK", b"ok\n"


def has_ipv6():
    """Whether this machine has the loopback of IPv6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")


@ipv6
def test_each_address_is_served(tmp_path):
    """Of either family, and a socket; one thread takes the connections of all."""
    path = tmp_path / "app.sock"
    with serving(f"127.0.0.1:0,[::1]:0,unix:{path}") as server:
        assert sum(each.name == "manometer-http" for each in threading.enumerate()) == 1
        first, second, third = server.urls
        assert (first[:17], second[:13], third) == ("http://127.0.0.1:", "http://[::1]:", f"unix:{path}")
        assert server.url == first
        assert (by_url(first), by_url(second), by_path(path)) == (OK, OK, OK)
    assert not path.exists()
    for url in (first, second):
        with pytest.raises(ConnectionRefusedError):
            by_url(url)


@ipv6
def test_a_port_alone_is_every_address_of_the_machine():
    """Of both families by one socket."""
    with serving(":0") as server:
        port = urlsplit(server.url).port
        assert server.urls == [f"http://[::]:{port}"]
        assert by_url(f"http://127.0.0.1:{port}") == by_url(f"http://[::1]:{port}") == OK


def test_where_one_address_cannot_be_had_none_is_kept(tmp_path):
    """The setting that named them is the one to change."""
    path = tmp_path / "app.sock"
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError) as raised:
            serving(f"unix:{path},127.0.0.1:{port}")
    assert str(raised.value) == (
        f"port {port} on 127.0.0.1 is in use; set MANOMETER_LISTEN_ADDRESSES or pass listen_addresses=..."
    )
    assert not path.exists()


def test_a_system_without_unix_sockets_says_so(tmp_path, monkeypatch):
    """As Windows, by the address that cannot be had."""
    monkeypatch.delattr(socket, "AF_UNIX")
    path = tmp_path / "app.sock"
    with pytest.raises(ConfigError, match=f"the Unix socket {path}"):
        serving(f"unix:{path}")


def test_a_unix_socket_is_for_its_user_and_group(tmp_path):
    """Whatever the umask says."""
    path = tmp_path / "app.sock"
    before = os.umask(0o777)
    try:
        with serving(f"unix:{path}"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
    finally:
        os.umask(before)


def test_who_comes_by_a_unix_socket_is_local(tmp_path):
    """The socket decides who may connect, and a name in a request says nothing."""
    with serving(f"unix:{tmp_path / 'app.sock'}") as server:
        client = socket.socket(socket.AF_UNIX)
        client.connect(server.url.removeprefix("unix:"))
        with client:
            client.sendall(LIVEZ.replace(b"localhost", b"anything.test"))
            assert client.recv(15) == b"HTTP/1.1 200 OK"


def test_a_socket_that_a_process_left_behind_is_replaced(tmp_path):
    """It was killed, say."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()
    with serving(f"unix:{path}"):
        assert by_path(path) == OK


def test_a_socket_that_somebody_listens_on_is_in_use(tmp_path):
    """It is left alone."""
    path = tmp_path / "app.sock"
    with serving(f"unix:{path}"):
        with pytest.raises(AddressError, match=f"the Unix socket {path} is in use; set MANOMETER_LISTEN_ADDRESSES"):
            serving(f"unix:{path}")
        assert by_path(path) == OK


def a_file(path):
    """A file."""
    path.write_text("kept")


def a_link(path):
    """A link to a socket."""
    target = path.with_name("target")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(target))
    path.symlink_to(target)


@pytest.mark.parametrize("make", [a_file, a_link])
def test_what_is_no_socket_is_never_removed(tmp_path, make):
    """A file, or a link, be it to a socket."""
    path = tmp_path / "app.sock"
    make(path)
    with pytest.raises(AddressError, match="is there, and is no socket that this program's user left behind"):
        serving(f"unix:{path}")
    assert path.lstat()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_socket_of_another_user_is_never_removed(tmp_path):
    """Not even by root."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    os.chown(path, 65534, -1)
    with pytest.raises(AddressError, match="no socket that this program's user left behind"):
        serving(f"unix:{path}")
    assert path.lstat()


def test_a_socket_in_the_place_of_ours_is_left_alone(tmp_path):
    """Somebody removed ours, and listens there."""
    path = tmp_path / "app.sock"
    server = serving(f"unix:{path}")
    with server:
        path.unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(path))
    with other:
        assert path.lstat()


def test_a_path_that_is_too_long_is_an_error_that_says_so(tmp_path):
    """In the system's words."""
    with pytest.raises(ConfigError, match=r"cannot listen on the Unix socket .*too long"):
        serving(f"unix:{tmp_path / ('a' * 200)}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_leaves_the_unix_socket_to_its_parent(tmp_path):
    """Also as it closes what it inherited."""
    path = tmp_path / "app.sock"
    ours, theirs = os.pipe()
    with serving(f"unix:{path}") as server:

        def child():
            server.close()
            os.write(theirs, b"x")

        with forked(child):
            assert readable(ours)
            assert by_path(path) == OK
    for end in (ours, theirs):
        os.close(end)
