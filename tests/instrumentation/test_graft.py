"""A graft gives one object methods, and leaves all else of it as it was."""

import copy
import pickle
import sys
import sysconfig
import threading
import types
from abc import ABCMeta
from types import SimpleNamespace
from typing import ClassVar, Generic, TypeVar

import pytest

from manometer.errors import UnsupportedError
from manometer.instrumentation.graft import graft, ungraft

T = TypeVar("T")


class Shelf:
    """Something with attributes and a method."""

    def __init__(self, books=1, *, more=0) -> None:
        self.books = books + more

    def size(self):
        return self.books


SHARED = {"books": 5}


class Borg:
    """Objects that share their attributes."""

    def __init__(self) -> None:
        self.__dict__ = SHARED


class Frozen(Shelf):
    """An object that refuses to be written to."""

    def __init__(self) -> None:
        object.__setattr__(self, "books", 1)

    def __setattr__(self, name, value):
        raise AttributeError(name)


class Slotted:
    """An object with no dictionary."""

    __slots__ = ("books",)

    def __init__(self) -> None:
        self.books = 1

    def size(self):
        return self.books


class Space(SimpleNamespace):
    """An object whose dictionary cannot be set."""

    def __init__(self) -> None:
        super().__init__(books=1)


class Local(threading.local):
    """An object that each thread has attributes of its own in."""

    def __init__(self) -> None:
        self.books = 1


class Stamped(Shelf):
    """An object that is told at once what it is made with."""

    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls)
        made.stamp = args, kwargs
        return made


class Ordered(Shelf):
    """An object that is rebuilt by a function."""

    def __reduce__(self):
        return rebuilt, (type(self), self.books)


class Rebuilt(Shelf):
    """Something that is copied by a call of its class."""

    def __reduce__(self):
        return type(self), (self.books,)


def rebuilt(kind, books):
    """An object of that class."""
    return kind(books)


def doubled(self):
    """A method to graft."""
    return 2 * self.books


@pytest.mark.parametrize("kind", [Shelf, Borg, Frozen, Slotted, Space, Local])
def test_the_object_alone_has_the_method_until_it_is_taken_off(kind):
    """Its class and its attributes are what they were, whatever it keeps them in."""
    target, other = kind(), kind()
    books = target.books
    graft(target, {"size": doubled})
    assert (target.size(), target.books, isinstance(target, kind)) == (2 * books, books, True)
    assert type(other) is kind
    ungraft(target)
    assert type(target) is kind
    assert target.books == books


def test_the_objects_class_shows_itself_as_its_plain_class():
    """Whoever prints or documents it sees the name, the module and the text of the class that it was."""

    class Inner(Shelf):
        """A class within something."""

    kind = graft(Inner(), {"size": doubled}, bare_clones=True)
    for shown, plain in ((kind, Inner), (type(kind), type(Inner))):
        assert (shown.__name__, shown.__module__, shown.__qualname__) == (
            plain.__name__,
            plain.__module__,
            plain.__qualname__,
        )
    assert kind.__doc__ == Inner.__doc__
    assert type(graft(Inner(), {"size": doubled})) is type


class Registered(metaclass=ABCMeta):  # noqa: B024 - what it needs is the metaclass
    """A class that remembers those derived from it, by name, and asks what kind they are."""

    __slots__ = ()
    known: ClassVar = {}

    def __init_subclass__(cls, *, kind, **more):
        super().__init_subclass__(**more)
        cls.known[cls.__name__] = cls, kind


class Catalogued(Shelf, Registered, kind="shelf"):
    """A class that is remembered so."""


class Typed(Slotted, Registered, Generic[T], kind="typed"):
    """Another, without a dictionary."""

    __slots__ = ()


@pytest.mark.parametrize("bare_clones", [False, True])
@pytest.mark.parametrize("kind", [Catalogued, Typed])
def test_a_class_that_hears_of_its_subclasses_hears_of_no_graft(kind, bare_clones):
    """What it remembers stays; whoever derives from the object's class is told of as ever."""
    target = kind()
    books = target.books
    remembered = dict(Registered.known)
    grafted = graft(target, {"size": doubled}, bare_clones=bare_clones)
    assert Registered.known == remembered
    assert target.size() == 2 * books
    assert (grafted.__bases__, grafted.__mro__[1:]) == ((kind,), kind.__mro__)
    assert isinstance(target, Registered)
    assert not isinstance(kind(), grafted)
    below = types.new_class("Below", (grafted,), {"kind": "below"})
    assert Registered.known.pop("Below") == (below, "below")
    with pytest.raises(TypeError, match="kind"):
        types.new_class("Unkind", (grafted,))
    ungraft(target)
    assert type(target) is kind


def test_an_object_whose_class_takes_no_subclass_is_refused():
    """The message names the object and says why."""
    with pytest.raises(UnsupportedError, match=r"^True cannot be instrumented: its class takes no subclass \(.+\)$"):
        graft(True, {})


@pytest.mark.parametrize("free_threaded", [False, True])
def test_an_object_gets_a_dictionary_of_its_own_where_no_other_thread_reads_the_old_one(monkeypatch, free_threaded):
    """The interpreter reads attributes the quick way from a dictionary that shares its keys with no other."""
    monkeypatch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": free_threaded}.get)
    target = Shelf()
    before, attributes = id(vars(target)), dict(vars(target))
    graft(target, {"size": doubled})
    assert (id(vars(target)) == before) is free_threaded
    assert vars(target) == attributes


def test_attributes_that_others_hold_too_stay_shared(monkeypatch):
    """What is written to the dictionary by another name is seen by the object."""
    borg, shelf = Borg(), Shelf()
    held = vars(shelf)
    for target in (borg, shelf):
        graft(target, {"size": doubled})
    monkeypatch.setitem(SHARED, "books", 7)
    held["books"] = 8
    assert (borg.books, shelf.books) == (7, 8)


def test_attributes_stay_shared_whatever_the_interpreter_counts(monkeypatch):
    """An interpreter that counts fewer references to a dictionary has none taken for the object's alone."""
    for fewer in range(3):
        monkeypatch.setattr(
            "manometer.instrumentation.graft.getrefcount", lambda held, fewer=fewer: sys.getrefcount(held) - fewer
        )
        shelf = Shelf()
        held = vars(shelf)
        graft(shelf, {"size": doubled})
        assert vars(shelf) is held


@pytest.mark.parametrize("plain", [Shelf, Stamped])
def test_a_clone_may_be_of_the_plain_class(plain):
    """An object made by calling the class of one with a graft has no graft, where the graft says so."""
    target, fertile = plain(), plain()
    graft(target, {"size": doubled}, bare_clones=True)
    graft(fertile, {"size": doubled})
    kind = type(target)
    assert (type(kind()), type(kind.__new__(kind))) == (plain, plain)
    assert (kind().size(), target.size(), type(fertile)().size()) == (1, 2, 2)

    class Below(kind):
        """A class that someone derives from the graft's."""

    assert (type(Below()), Below().size()) == (Below, 2)
    assert (Below(2, more=3).books, kind(2, more=3).books) == (5, 5)


def test_what_makes_an_object_gets_its_arguments():
    """By position and by name, called by the class, by a class below it, or by hand."""
    target = Stamped()
    kind = graft(target, {"size": doubled}, bare_clones=True)
    below = type("Below", (kind,), {})
    for made in (kind(2, more=3), below(2, more=3), kind.__new__(kind, 2, more=3)):
        assert made.stamp == ((2,), {"more": 3})


def test_one_graft_is_taken_off_alone():
    """A graft that is gone takes none off that came later."""
    target = Shelf()
    earlier = graft(target, {"size": doubled})
    ungraft(target)
    later = graft(target, {"size": doubled})
    ungraft(target, earlier)
    assert type(target) is later
    ungraft(target, later)
    assert type(target) is Shelf


def test_a_copy_is_of_the_plain_class():
    """Copied or pickled, it has its attributes and no graft."""
    target = Shelf()
    target.books = 3
    graft(target, {"size": doubled})
    for each in (copy.copy(target), copy.deepcopy(target), pickle.loads(pickle.dumps(target))):
        assert type(each) is Shelf
        assert each.size() == 3
    ordered = Ordered(3)
    graft(ordered, {"size": doubled})
    for each in (copy.copy(ordered), pickle.loads(pickle.dumps(ordered))):
        assert (type(each), each.size()) == (Ordered, 3)
    rebuilt = Rebuilt(3)
    graft(rebuilt, {"size": doubled})
    for each in (copy.copy(rebuilt), pickle.loads(pickle.dumps(rebuilt))):
        assert (type(each), each.size()) == (Rebuilt, 3)
