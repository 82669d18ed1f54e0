"""Files that are put in place as a whole and then extended, and whose lock tells whether their process is alive."""

import errno
import os
from pathlib import Path

import pytest

from manometer.processes.locked_file import OwnFile, owner_lives, put_aside, sole

OPEN = Path("/proc/self/fd")
"""The files that this process has open."""


@pytest.fixture
def file(tmp_path):
    """A file of this process, which has not been written."""
    made = OwnFile(tmp_path / "f")
    yield made
    made.abandon()


def lives(path):
    """What a reader of the file finds of its process."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return owner_lives(path, descriptor)
    finally:
        os.close(descriptor)


def test_a_file_s_process_lives_until_it_abandons_it(file):
    """Through each writing, of which the last one stands; once it is abandoned, none does."""
    assert not file.stands
    for content in (b"one", b"two"):
        file.write(content)
        assert file.path.read_bytes() == content
        assert file.stands
        assert lives(file.path)
    for _ in range(2):
        file.abandon()
        assert not file.stands
        assert not lives(file.path)


def test_a_file_that_another_took_the_place_of_does_not_stand(file):
    """As where someone tidied the directory, or put back a copy."""
    file.write(b"one")
    file.path.unlink()
    assert not file.stands
    file.path.write_bytes(b"one")
    assert not file.stands


def test_a_write_that_the_system_cuts_short_goes_on(file, monkeypatch):
    """Until all is written."""
    plain = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: plain(descriptor, data[:3]))
    file.write(b"0123456789")
    assert file.path.read_bytes() == b"0123456789"


def test_a_file_is_extended_before_its_head_tells_so(file, monkeypatch):
    """A reader goes by the head. The file is the same one, whose lock is held throughout."""
    file.write(b"head 1|one")
    before, plain, steps = file.path.stat().st_ino, os.pwrite, []

    def watched(descriptor, data, place):
        written = plain(descriptor, data[:3], place)  # as where the system cuts a write short
        steps.append(file.path.read_bytes())
        return written

    monkeypatch.setattr(os, "pwrite", watched)
    file.extend(10, b"|more", b"head 2")
    assert steps == [b"head 1|one|mo", b"head 1|one|more", b"head 1|one|more", b"head 2|one|more"]
    assert file.path.stat().st_ino == before
    assert lives(file.path)
    assert file.is_as_left


def test_a_file_that_there_is_no_room_to_extend_keeps_its_head(file, monkeypatch):
    """What came of the attempt is written over by the next."""
    file.write(b"head 1|one")
    plain = os.pwrite

    def full(descriptor, data, place):
        if place > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(descriptor, data[:2], place)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            file.extend(10, b"|more", b"head 2")
    assert file.path.read_bytes() == b"head 1|one|m"
    assert file.is_as_left
    file.extend(10, b"|then", b"head 3")
    assert file.path.read_bytes() == b"head 3|one|then"


def test_a_file_that_someone_else_wrote_to_is_not_as_it_was_left(file):
    """Or cut short, or took away. What is not there cannot be extended."""
    with pytest.raises(FileNotFoundError):
        file.extend(0, b"more", b"head")
    assert not file.is_as_left
    for harm in (lambda: os.truncate(file.path, 3), lambda: os.utime(file.path, (1, 1)), file.path.unlink):
        file.write(b"one")
        assert file.is_as_left
        harm()
        assert not file.is_as_left


def test_what_a_crash_has_left_half_written_is_written_over(file):
    """And nothing of it remains."""
    file.path.with_name("f.tmp").write_bytes(b"much longer than what is to come")
    file.write(b"whole")
    assert file.path.read_bytes() == b"whole"
    assert [each.name for each in file.path.parent.iterdir()] == ["f"]


def test_no_link_leads_a_write_elsewhere(file, tmp_path):
    """In a directory that others may write to, it would be theirs to say which file of the user's is overwritten."""
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    file.path.with_name("f.tmp").symlink_to(other)
    with pytest.raises(OSError, match="symbolic link"):
        file.write(b"new")
    assert other.read_bytes() == b"precious"
    assert not file.stands


def test_others_may_read_a_file_and_only_its_user_may_write_to_it(file):
    """One that only looks on may be another user."""
    before = os.umask(0)
    try:
        file.write(b"one")
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o777 == 0o644


def test_one_at_a_time_is_alone_in_a_directory(tmp_path):
    """The next may be when it is done, whatever came of it."""
    with sole(tmp_path) as first:
        with sole(tmp_path) as second:
            assert (first, second) == (True, False)
        with sole(tmp_path) as third:
            assert not third
    with pytest.raises(ZeroDivisionError), sole(tmp_path):
        _ = 1 / 0
    before = len(list(OPEN.iterdir()))
    with sole(tmp_path) as last:
        assert last
    assert len(list(OPEN.iterdir())) == before


def test_a_file_is_put_aside_where_this_user_may(file, monkeypatch):
    """Under another name; otherwise it stays, and no error comes of it."""
    file.write(b"odd")
    descriptor = os.open(file.path, os.O_RDONLY)
    with monkeypatch.context() as patch:
        patch.setattr(type(file.path), "rename", refused)
        put_aside(file.path, descriptor)
    assert file.stands
    put_aside(file.path, descriptor)
    os.close(descriptor)
    assert [each.name for each in file.path.parent.iterdir()] == ["f.damaged"]


def refused(*_):
    """As the system answers one who may not write."""
    raise PermissionError
