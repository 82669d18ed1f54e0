"""Tests of alluse.successors."""

from alluse.successors import Successors


def learned(*turns: int) -> Successors:
    """What these turns teach."""
    successors = Successors()
    for place in turns:
        successors.turn(place)
    return successors


def test_nothing_follows_before_the_first_turn():
    """There is no place to go on from."""
    assert Successors().following(3) == []
    assert Successors().beside(5) == []


def test_the_next_places_follow_one_that_is_new():
    """Plain read-ahead, until there is something to learn."""
    assert learned(7).following(3) == [8, 9, 10]


def test_the_step_that_is_taken_most_often_is_expected():
    """Every second day, or backwards."""
    assert learned(0, 2, 4, 6).following(2) == [8, 10]
    assert learned(9, 8, 7).following(2) == [6, 5]


def test_after_the_same_place_the_same_one_is_expected():
    """The end of the market, after which it begins again."""
    assert learned(3, 4, 5, 0, 1, 2, 3, 4).following(4) == [5, 0, 1, 2]


def test_a_thread_that_is_late_teaches_nothing():
    """It still works on the day before."""
    assert learned(1, 2, 1, 2, 3, 2, 3).following(2) == [4, 5]


def test_what_was_read_in_the_last_two_turns_is_expected_as_far_from_the_place():
    """In its order; what was read longer ago is forgotten."""
    successors = Successors()
    successors.read(3)
    for place, read in ((10, (1, 10)), (11, (9, 11)), (12, (10, 12, 5))):
        successors.turn(place)
        for each in read:
            successors.read(each)
    assert successors.beside(20) == [13, 18, 20]
