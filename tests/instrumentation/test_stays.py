"""How long an object stays."""

from manometer.instrumentation import stays
from manometer.instrumentation.stays import Stays


def test_a_stay_past_the_limit_is_not_timed_from_the_stay_of_a_lost_object(monkeypatch):
    """Which had the id that the object has now."""
    monkeypatch.setattr(stays, "AT_MOST", 1)
    known = Stays(lambda: 7.0)
    known.began(1, None, 0.0)
    known.began(1, None, 5.0)
    assert known.ended(1) is None
    known.began(1, None, 5.0)
    assert known.ended(1) == 2.0
