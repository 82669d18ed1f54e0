"""Passwords: who is let in, what a check costs, and that a flood of wrong ones costs the others nothing."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest

from manometer.serving import credentials
from manometer.serving.bcrypt import cost, matches, never_matched
from manometer.serving.credentials import REMEMBERED, WAITING, WAITING_OF_ONE, Credentials, Verdict
from waiting import DEADLINE, until

RIGHT, WRONG, BUSY = Verdict.RIGHT, Verdict.WRONG, Verdict.BUSY


def hashed(password, rounds=4):
    """The bcrypt hash of a password."""
    return bcrypt.hashpw(password, bcrypt.gensalt(rounds)).decode()


def basic(user, password=b""):
    """The header that says so."""
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()


class Checks:
    """Stands for bcrypt: a password is right that its hash ends in. Each check takes a second of the clock."""

    def __init__(self):
        self.asked, self.slept, self.now = [], [], 0.0
        self.may = threading.Event()
        self.may.set()
        self.credentials = Credentials(self._check, lambda: self.now, self.slept.append)

    def _check(self, password, hash_):
        self.asked.append((password, hash_))
        assert self.may.wait(DEADLINE)
        self.now += 1
        return hash_.encode().endswith(password)

    def verdict(self, password, user="alice", peer="192.0.2.1"):
        users = {"alice": "$2b$04$right", "bob": "$2b$12$other"}
        return self.credentials.verdict(users, basic(user, password), peer)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_a_password_is_checked_by_its_hash(prefix):
    """Of each kind of bcrypt that is around."""
    users = {"alice": prefix + hashed(b"open sesame")[4:]}
    judge = Credentials()
    assert judge.verdict(users, basic("alice", b"open sesame"), None) is RIGHT
    assert judge.verdict(users, basic("alice", b"open sesam"), None) is WRONG
    assert judge.verdict(users, basic("bob", b"open sesame"), None) is WRONG


def test_passwords_may_be_of_any_bytes():
    """Longer than bcrypt reads, with a colon, in any language; a NUL is no way around."""
    for password in (b"a" * 72, b"a:b:", "Öl, 油".encode()):
        assert matches(password, hashed(password))
    assert matches(b"a" * 72 + b"b", hashed(b"a" * 72))
    assert not matches(b"a\0b", hashed(b"a"))
    judge = Credentials()
    users = {"Müller": hashed(b"a:b")}
    assert judge.verdict(users, basic("Müller", b"a:b"), None) is RIGHT


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YWxpY2U=",  # no colon
        "Bearer YWxpY2U6cmlnaHQ=",
        "Basic YWxpY2U6cmlnaHQ",  # no padding
        "YWxpY2U6cmlnaHQ=",
        "Basic \xff",
    ],
)
def test_what_is_no_password_costs_no_check(header):
    """It is refused at once."""
    checks = Checks()
    assert checks.credentials.verdict({"alice": "$2b$04$right"}, header, None) is WRONG
    assert checks.asked == []


def test_the_scheme_is_read_in_either_case():
    """As HTTP has it."""
    checks = Checks()
    assert checks.credentials.verdict({"alice": "$2b$04$right"}, "basic YWxpY2U6cmlnaHQ=", None) is RIGHT


def test_a_pair_is_checked_once():
    """Whether it is right or wrong: a scrape a second costs one check."""
    checks = Checks()
    for _ in range(3):
        assert checks.verdict(b"right") is RIGHT
        assert checks.verdict(b"wrong") is WRONG
    assert len(checks.asked) == 2


def test_a_new_hash_is_a_new_check():
    """Of a user whose password has changed."""
    checks = Checks()
    for hash_, verdict in (("$2b$04$right", RIGHT), ("$2b$04$other", WRONG)):
        assert checks.credentials.verdict({"alice": hash_}, basic("alice", b"right"), None) is verdict


def test_a_user_that_there_is_not_costs_a_check_as_dear_as_any():
    """And is not let in by the password of another."""
    checks = Checks()
    assert checks.verdict(b"right", user="nobody") is WRONG
    ((_, against),) = checks.asked
    assert cost(against) == 12
    assert against == never_matched("$2b$12$other")
    assert bcrypt.checkpw(b"", never_matched(hashed(b"")).encode()) is False


def test_no_password_is_kept():
    """Neither a right one nor a wrong one, in whatever the judge holds."""
    checks = Checks()
    checks.verdict(b"right")
    checks.verdict(b"wrong")
    remembered = repr([vars(checks.credentials._right), vars(checks.credentials._wrong)])
    assert "right" not in remembered
    assert "wrong" not in remembered


def test_wrong_ones_push_no_right_one_out():
    """However many; and they do not add up."""
    checks = Checks()
    checks.verdict(b"right")
    for number in range(2 * REMEMBERED):
        checks.verdict(b"%d" % number)
    assert len(checks.credentials._wrong._seen) == REMEMBERED
    before = len(checks.asked)
    assert checks.verdict(b"right") is RIGHT
    assert len(checks.asked) == before


def test_after_a_wrong_password_the_next_check_waits():
    """Three times as long as it took, so that guesses take a quarter of a core; a right one waits for nothing."""
    checks = Checks()
    checks.verdict(b"right")
    assert checks.slept == []
    checks.verdict(b"wrong")
    assert checks.slept == [3]


def test_a_flood_waits_in_few_places_and_keeps_nobody_out_who_is_known():
    """One check at a time, some that wait, and the rest is refused at once; two places for one address."""
    checks = Checks()
    assert checks.verdict(b"right") is RIGHT
    checks.may.clear()
    with ThreadPoolExecutor(WAITING) as pool:
        waiting = []
        for number in range(WAITING):
            peer = f"192.0.2.{number // WAITING_OF_ONE}"
            waiting.append(pool.submit(checks.verdict, b"wrong %d" % number, peer=peer))
            until(lambda: len(checks.credentials._waiting) == len(waiting))
            if number + 1 == WAITING_OF_ONE:
                assert checks.verdict(b"one more", peer=peer) is BUSY
        assert checks.verdict(b"one more", peer="192.0.2.9") is BUSY
        assert checks.verdict(b"right", peer="192.0.2.9") is RIGHT
        assert len(checks.asked) == 2  # the right one, and one of the wrong ones
        checks.may.set()
        assert {each.result() for each in waiting} == {WRONG}
    assert checks.verdict(b"one more", peer="192.0.2.9") is WRONG


def test_two_with_one_password_at_once_cost_one_check():
    """Such as two of a pair of scrapers, after a start."""
    checks = Checks()
    checks.may.clear()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(checks.verdict, b"right") for _ in range(2)]
        until(lambda: len(checks.credentials._waiting) == 2)
        checks.may.set()
        assert [each.result() for each in both] == [RIGHT, RIGHT]
    assert len(checks.asked) == 1


def test_a_check_that_fails_frees_its_place():
    """Whatever goes wrong in it."""

    def fails(*_):
        raise MemoryError

    judge = Credentials(fails)
    for _ in range(credentials.WAITING + 1):
        with pytest.raises(MemoryError):
            judge.verdict({"alice": "$2b$04$right"}, basic("alice"), None)
