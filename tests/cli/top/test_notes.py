"""Lines that are given to `top` to stand above its table."""

import os
import socket
import time
from threading import Timer

import pytest

from manometer.cli.top.notes import Note, Notes
from waiting import DEADLINE, joined


@pytest.fixture
def pipe():
    """Notes, and what writes to them. What is read without being there is an error; a terminal can be written to."""
    theirs, ours = socket.socketpair()
    theirs.setblocking(False)
    with theirs, ours:
        yield Notes(theirs.fileno()), lambda text: ours.send(text.encode(errors="surrogateescape"))


def _soon():
    return time.monotonic() + DEADLINE


def test_a_block_ends_with_an_empty_line(pipe):
    """What comes in pieces is waited for; a line that begins with ! stands out."""
    notes, write = pipe
    write("no alert fi")
    assert notes.wait(time.monotonic()) is None
    write("res\n! fault on: slow-broker\n\nand mo")
    assert notes.wait(_soon()) == [Note("no alert fires"), Note("fault on: slow-broker", alarming=True)]
    assert notes.wait(time.monotonic()) is None
    write("re\n\n")
    assert notes.wait(_soon()) == [Note("and more")]


def test_a_block_is_waited_for(pipe):
    """As long as there is time."""
    notes, write = pipe
    writer = Timer(0.05, write, ["Xenon is out\n\n"])
    writer.start()
    assert notes.wait(_soon()) == [Note("Xenon is out")]
    joined(writer)


def test_the_latest_of_several_blocks_counts(pipe):
    """An empty one takes the notes away; one line's end too many is none, and a ! after a space means nothing."""
    notes, write = pipe
    write("one\n\n\n !two\n\n")
    assert notes.wait(_soon()) == [Note("!two")]
    write("\n\n")
    assert notes.wait(_soon()) == []


def test_what_would_move_the_cursor_is_not_passed_on(pipe):
    """Nor are bytes that are no text."""
    notes, write = pipe
    write("a\x1b[2Jb\tc \udcff\n\n")
    assert notes.wait(_soon()) == [Note("a?[2Jb?c \N{REPLACEMENT CHARACTER}")]


def test_the_end_of_the_input_is_the_end_of_the_notes():
    """Nothing is waited for but the time."""
    theirs, ours = os.pipe()
    os.write(ours, b"left\n\n")
    os.close(ours)
    notes = Notes(theirs)
    assert notes.wait(_soon()) == [Note("left")]
    assert notes.wait(time.monotonic() + 0.01) is None
    os.close(theirs)
    assert notes.wait(time.monotonic()) is None


def test_without_an_input_there_are_none():
    """The wait is only that."""
    assert Notes(None).wait(time.monotonic() + 0.001) is None
