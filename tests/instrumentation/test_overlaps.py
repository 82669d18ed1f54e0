"""The uses of one resource that overlap."""

import gc

import pytest

from manometer.instrumentation import overlaps
from manometer.instrumentation.overlaps import Overlaps

KEY = 7


class Resource:
    """Can die."""


@pytest.fixture
def resource():
    """What is lent to several at a time."""
    return Resource()


def test_the_latest_use_ends_first_and_nothing_is_left(resource):
    """A resource of which all uses are over takes no memory."""
    uses = Overlaps()
    for now in (1.0, 2.0):
        uses.began(KEY, resource, now)
    assert [uses.ended(KEY) for _ in range(3)] == [2.0, 1.0, None]
    assert not uses.uses


def test_a_use_of_an_object_that_died_is_none_of_the_object_at_its_address(resource):
    """The uses of objects that are alive end as before."""
    uses = Overlaps()
    uses.began(KEY, resource, 1.0)
    uses.began(KEY, Resource(), 2.0)
    gc.collect()
    assert [uses.ended(KEY) for _ in range(2)] == [1.0, None]
    assert not uses.uses


def test_the_older_half_is_forgotten_where_there_are_too_many(resource, monkeypatch):
    """So that the memory is bounded, and not each further use costs a forgetting."""
    monkeypatch.setattr(overlaps, "_AT_MOST", 10)
    uses = Overlaps()
    for now in range(10):
        uses.began(KEY, resource, now)
    assert len(uses.uses[KEY]) == 10
    uses.began(KEY, resource, 10)
    assert [uses.ended(KEY) for _ in range(7)] == [10, 9, 8, 7, 6, 5, None]


def test_the_memory_is_bounded_however_many_resources_have_overlapping_uses(monkeypatch):
    """As where items of a queue get lost, and others have their ids."""
    monkeypatch.setattr(overlaps, "_AT_MOST", 100)
    uses = Overlaps()
    for now in range(100):
        for key in range(50):
            uses.began(key, None, now)
    assert sum(map(len, uses.uses.values())) <= 3 * 100
    assert all(uses.ended(key) == 99 for key in range(50))


class Dropped(dict):
    """Another thread forgets the list, still empty, right before the use is put into it."""

    turns = 2

    def setdefault(self, key, default):
        found = super().setdefault(key, default)
        if self.turns:
            self.turns -= 1
            del self[key]
        return found


def test_a_use_that_begins_while_the_list_is_forgotten_is_kept(resource):
    """It goes into the next list."""
    uses = Overlaps()
    uses.uses = Dropped()
    uses.began(KEY, resource, 1.0)
    assert [uses.ended(KEY) for _ in range(2)] == [1.0, None]


class Late(dict):
    """Other threads begin uses right before the list, which was empty, is forgotten."""

    turns = 1

    def pop(self, key, *default):
        if self.turns:
            self.turns -= 1
            self[key] += [(2.0, None), (3.0, None)]
        return super().pop(key, *default)


def test_uses_that_begin_while_their_list_is_being_forgotten_are_kept(resource):
    """They go into the next list."""
    uses = Overlaps()
    uses.uses = Late()
    uses.began(KEY, resource, 1.0)
    assert uses.ended(KEY) == 1.0
    assert {uses.ended(KEY) for _ in range(2)} == {2.0, 3.0}
    assert uses.ended(KEY) is None


class Twice(dict):
    """Another thread forgets the list first."""

    def pop(self, key, *default):
        super().pop(key, None)
        return super().pop(key, *default)


def test_a_list_that_another_thread_forgot_first_is_no_fault(resource):
    """The use ends all the same."""
    uses = Overlaps()
    uses.uses = Twice()
    uses.began(KEY, resource, 1.0)
    assert uses.ended(KEY) == 1.0
    assert not uses.uses
