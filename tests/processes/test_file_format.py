"""The form of a snapshot in a file: what was written is read."""

import pytest

from manometer.processes.file_format import decode, encode
from manometer.processes.file_head import AlienError, UnreadableError
from manometer.processes.snapshot import Family, Group, Process, Snapshot


def test_what_was_written_is_read():
    """Down to whose it is; a large family comes in parts, so that no other thread waits for all of it."""
    head = {"name": "c", "kind": "counter", "help": 'Of "ü"\n.', "unit": "m"}
    shape = (("c_total", None, False), ("c_created", None, True))
    rows = [([f"\n{number}"], [number + 0.1, 5.0], (), 0.0, None) for number in range(601)]
    process = Process(5, 2, "5.2-1.manometer", True)
    snapshot = Snapshot(process, [Family(**head, groups=[Group("sum", ("l",), shape, rows)])], includes=["a", "b"])
    found = decode(encode(snapshot))
    assert (found.process, found.includes, found.alive) == (process, ["a", "b"], True)
    assert {each[:-1] for each in found.families} == {tuple(head.values())}
    groups = [group for family in found.families for group in family.groups]
    assert {each[:-1] for each in groups} == {("sum", ("l",), shape)}
    assert [row for group in groups for row in group.rows] == rows
    assert [len(group.rows) for group in groups] == [250, 250, 101]


def test_text_that_no_exposition_could_hold_is_written_as_far_as_it_can_be():
    """Half a surrogate pair is no character."""
    found = decode(encode(Snapshot(Process(1), [Family("g", "gauge", "a\ud800b", "", [ROWS])])))
    assert found.families[0].help == "a?b"


ROWS = Group("sum", (), (("g", None, False),), [([], [1.0], (), 0.0, None)])


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"manometer-processes 2 new things", AlienError),
        (b"manometer-processes 10 things", AlienError),
        (b"manometer-processes 1 things", UnreadableError),
        (b"manometer-processes x things", UnreadableError),
        (b"manometer-processes 2", UnreadableError),
        (b"manometer-processes\t2 things", UnreadableError),
        (b"someone-else 2 things", UnreadableError),
    ],
)
def test_a_file_of_another_version_is_told_from_a_damaged_one(head, error):
    """It is not ours to replace."""
    with pytest.raises(UnreadableError) as raised:
        decode(head + b"\n[]")
    assert type(raised.value) is error
