"""The processes of a directory share a port, and with nobody else."""

import errno
import fcntl
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from manometer import ConfigError, Manometer, Settings
from manometer.processes.shared_port import SharedPort
from manometer.serving.pages import Site
from manometer.serving.server import Server
from ports import reserved_port


@pytest.fixture
def port():
    """A port on which nobody listens."""
    with reserved_port() as found:
        yield found


def server(directory, port):
    """A process's server of that directory: a lock is of each opening of a file, so threads stand for processes."""
    sharing = partial(SharedPort, directory)
    return closing(Server(Site(CollectorRegistry()), "127.0.0.1", port, sharing=sharing).start())


def test_those_of_a_directory_listen_together(tmp_path, port):
    """However many; and when all have ended, the port is free."""
    for _ in range(2):
        with ExitStack() as group:
            for _ in range(3):
                group.enter_context(server(tmp_path, port))


def test_the_end_of_the_first_leaves_the_port_to_the_others(tmp_path, port):
    """Others join them, and strangers do not."""
    first = server(tmp_path, port)
    with server(tmp_path, port):
        first.__exit__(None, None, None)
        (tmp_path / "other").mkdir()
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            server(tmp_path / "other", port)
        with server(tmp_path, port):
            pass


def test_two_programs_do_not_share_a_port(tmp_path, port):
    """The second is told at once, as where one of them has no directory."""
    programs = [
        Settings.load(environ={}, port=port, processes_dir=str(tmp_path / "one")),
        Settings.load(environ={}, port=port, processes_dir=str(tmp_path / "two")),
        Settings.load(environ={}, port=port),
    ]
    for running in programs:
        with Manometer(running, registry=CollectorRegistry()):
            for other in programs:
                if other is not running:
                    with pytest.raises(ConfigError, match=rf"port {port} on 127.0.0.1 is in use; set MANOMETER_PORT"):
                        Manometer(other, registry=CollectorRegistry()).start()


def test_many_that_begin_at_once_all_join_or_are_all_refused(tmp_path, port):
    """Those of the directory whose process was the first join it, those of the other hear of it."""
    for name in "ab":
        (tmp_path / name).mkdir()
    ready = threading.Barrier(8)

    def begin(name):
        ready.wait()
        try:
            return name, server(tmp_path / name, port)
        except ConfigError:
            return name, None

    with ThreadPoolExecutor(8) as pool, ExitStack() as running:
        began = list(pool.map(begin, "ab" * 4))
        for _, each in began:
            if each is not None:
                running.enter_context(each)
    listening = [name for name, each in began if each is not None]
    assert len(set(listening)) == 1
    assert len(listening) == 4


def test_one_who_gives_up_amid_the_start_of_another_is_no_company(tmp_path, port, monkeypatch):
    """The other is alone then, and has to be the only one on the port: those who listen there are strangers."""
    lock, refused = fcntl.flock, OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    first = SharedPort(tmp_path, port).binding()

    def gives_up_when_seen(file, how):
        try:
            lock(file, how)
        except BlockingIOError:
            first.__exit__(OSError, refused, None)
            raise

    assert first.__enter__()
    monkeypatch.setattr("manometer.processes.shared_port.fcntl.flock", gives_up_when_seen)
    with SharedPort(tmp_path, port).binding() as is_first:
        assert is_first


def test_a_lock_that_somebody_keeps_holds_no_start_up(tmp_path, port, monkeypatch):
    """A process that was stopped amid its binding, say: the others begin without it."""
    monkeypatch.setattr("manometer.processes.shared_port._TRIES", 2)
    with (tmp_path / f"port-{port}.binding").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with server(tmp_path, port), server(tmp_path, port):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="needs an administrator")
def test_a_process_that_gave_up_its_rights_is_seen_by_those_that_have_them(port):
    """The files are root's then, who made them."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.chmod(0o711)
        with server(directory, port):
            poorer = SharedPort(directory, port)
            os.seteuid(65534)
            try:
                with poorer.binding():
                    pass
            finally:
                os.seteuid(0)
        with SharedPort(directory, port).binding() as is_first:
            assert not is_first
        poorer.end()


def test_a_directory_that_takes_no_file_shares_as_the_system_does(tmp_path, port, monkeypatch):
    """As on a full disk: a program that starts meanwhile serves."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("manometer.processes.shared_port.open_locked", full)
    with server(tmp_path, port), server(tmp_path, port):
        pass


def test_several_addresses_of_a_port_are_shared_together(tmp_path, port):
    """By each process of the directory; a stranger gets none of them."""

    def listening(directory):
        where = f"127.0.0.1:{port},127.0.0.2:{port}"
        sharing = partial(SharedPort, directory)
        return closing(Server(Site(CollectorRegistry()), "", 0, listen_addresses=where, sharing=sharing).start())

    (tmp_path / "other").mkdir()
    with (
        listening(tmp_path),
        listening(tmp_path),
        pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in"),
    ):
        listening(tmp_path / "other")
    with listening(tmp_path / "other"):
        pass
