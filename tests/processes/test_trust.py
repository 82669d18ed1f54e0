"""What another user could have put into a directory is in no total, and holds no scrape up."""

import errno
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collected import collect
from manometer import Counter
from manometer.errors import ConfigError, IncompleteError
from manometer.processes import Worker, group_registry, onlooker
from manometer.processes.collector import PROMETHEUS_VARIABLE
from manometer.processes.trust import distrust

SOMEBODY = 65534


@pytest.fixture
def path(tmp_path):
    """A directory for a group, which its first worker makes."""
    return tmp_path / "group"


def total(registry):
    """What the counter comes to."""
    return next(s.value for metric in collect(registry) for s in metric.samples if s.name == "c_total")


@pytest.fixture
def shown(path):
    """A group of one process, whose counter stands at 1."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    yield group_registry(Worker.of(registry, str(path)))
    assert registry.get_sample_value("c_total") == 1


def test_a_directory_is_made_for_its_user_alone(path, shown):
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        assert total(shown) == 1
        Worker.of(CollectorRegistry(), str(path / "inner"))
    finally:
        os.umask(before)
    assert [each.stat().st_mode & 0o777 for each in (path, path / "inner")] == [0o700, 0o700]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o720, 0o702])
def test_a_directory_where_others_may_write_is_refused(path, mode):
    """At the start, and by one that only looks on."""
    path.mkdir()
    path.chmod(mode)
    for begin in (partial(Worker.of, CollectorRegistry(), str(path)), partial(onlooker, path)):
        with pytest.raises(ConfigError) as raised:
            begin()
        assert str(raised.value) == (
            f"processes_dir {path} is not safe: other users may write there (mode {mode:04o}); "
            "make it its user's alone, or name another"
        )


def test_a_directory_that_others_may_write_to_from_now_on_is_believed_no_more(path, shown, caplog):
    """The scrape fails, as what it would show may be made up; it is logged, and passes."""
    assert total(shown) == 1
    path.chmod(0o777)
    for _ in range(2):
        with pytest.raises(IncompleteError):
            collect(shown)
    assert [each for each in caplog.messages if "figures cannot be written" in each] == [
        f"figures cannot be written to {path} (other users may write there (mode 0777)); "
        "they go on in memory until they can"
    ]
    path.chmod(0o755)
    assert total(shown) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_directory_of_another_user_is_refused(path):
    """One that only looks on may read it: it was told to. Root's own is anybody's."""
    path.mkdir(mode=0o755)
    os.chown(path, SOMEBODY, SOMEBODY)
    path.parent.chmod(0o1777)
    with pytest.raises(ConfigError, match=rf"is not safe: it belongs to another user \(uid {SOMEBODY}\)"):
        Worker.of(CollectorRegistry(), str(path))
    assert list(collect(onlooker(path))) != []
    with tempfile.TemporaryDirectory() as of_root:
        Path(of_root).chmod(0o755)
        os.seteuid(SOMEBODY)
        try:
            assert distrust(Path(of_root)) is None
            assert distrust(path) == "it cannot be looked at (Permission denied)"
        finally:
            os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_root_may_use_a_directory_that_it_has_given_away(path):
    """For workers that give up its rights: nobody else can have made it where it is."""
    path.mkdir(mode=0o755)
    os.chown(path, SOMEBODY, SOMEBODY)
    assert distrust(path) is None
    path.parent.chmod(0o775)
    assert distrust(path) == f"it belongs to another user (uid {SOMEBODY})"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["999-1.manometer", "ended.manometer"])
def test_what_another_user_put_there_while_he_might_is_in_no_total(path, shown, caplog, name):
    """The directory was everybody's until someone followed the advice to make it its user's alone."""
    assert total(shown) == 1
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc(1_000_000)
    planted = Worker.of(registry, str(path / "planted"))
    planted.flush()
    (file,) = (path / "planted").glob("*-*.manometer")
    (path / name).write_bytes(file.read_bytes())
    os.chown(path / name, SOMEBODY, SOMEBODY)
    assert total(shown) == 1
    assert total(onlooker(path)) == 1
    assert f"{path / name} is left out of the figures: it belongs to another user (uid {SOMEBODY})" in caplog.messages


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_files_of_the_directory_s_own_user_are_root_s_to_read(path, shown):
    """As of workers that gave up its rights."""
    assert total(shown) == 1
    for each in [path, *path.iterdir()]:
        os.chown(each, SOMEBODY, SOMEBODY)
    assert total(shown) == total(onlooker(path)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link away")
def test_a_link_to_a_directory_that_another_user_made_is_refused(path, tmp_path):
    """He may have it lead elsewhere between a look and a reading."""
    path.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert distrust(link) is None
    os.chown(link, SOMEBODY, SOMEBODY, follow_symlinks=False)
    assert distrust(link) == f"it is a link of another user (uid {SOMEBODY})"


def test_a_directory_that_cannot_be_listed_shows_nothing(shown, monkeypatch):
    """As without a file descriptor, or without the right: 503, and not a page on which all totals have ended."""

    def refuse(_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        with pytest.raises(IncompleteError, match="the figures of processes could not be read; the log says why"):
            collect(shown)
    assert total(shown) == 1


def _fifo(place):
    os.mkfifo(place)


def _link(place):
    place.with_name("elsewhere").touch()
    place.symlink_to(place.with_name("elsewhere"))


def _socket(place):
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(place))


@pytest.mark.parametrize("planted", [_fifo, _link, _socket])
@pytest.mark.parametrize("name", ["999-1.manometer", "ended.manometer", "ended-copy.manometer"])
def test_what_is_no_regular_file_is_not_opened(path, shown, caplog, planted, name):
    """Nobody waits for it, and it counts for nothing; a file of the ended is written in its place."""
    assert total(shown) == 1
    (path / name).unlink(missing_ok=True)
    planted(path / name)
    for _ in range(2):
        assert total(shown) == 1
        assert total(onlooker(path)) == 1
    assert {each for each in caplog.messages if name in each} == {
        f"{path / name} is left out of the figures: it is no regular file"
    }


@pytest.mark.parametrize("planted", [_fifo, _link, _socket])
def test_of_prometheus_client_s_files_too(path, shown, planted):
    """Which it would open itself."""
    assert total(shown) == 1
    planted(path / "counter_1.db")
    assert total(shown) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_of_prometheus_client_s_files_none_that_another_user_put_there(path, shown, caplog):
    """As of our own."""
    assert total(shown) == 1
    command = "from prometheus_client import Counter; Counter('c', 'Help.').inc(1_000_000)"
    subprocess.run([sys.executable, "-c", command], check=True, env=os.environ | {PROMETHEUS_VARIABLE: str(path)})
    (planted,) = path.glob("counter_*.db")
    assert total(shown) == 1_000_001
    os.chown(planted, SOMEBODY, SOMEBODY)
    assert total(shown) == 1
    assert f"{planted} is left out of the figures: it belongs to another user (uid {SOMEBODY})" in caplog.messages
