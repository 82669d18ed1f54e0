"""What is logged, raised and shown has no secret in it, and an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer.redaction import SHOWN, brief, ends_of, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://otel:4318/v1/traces", "http://otel:4318/v1/traces"),
        ("https://user:hunter2@otel:4318", "https://***@otel:4318"),
        ("https://hunter2@otel", "https://***@otel"),
        ("https://user:hunt@er2@otel", "https://***@otel"),
        ("https://user:hun/t?e#r2@otel", "https://***@otel"),
        ("no route to postgresql://app:hunter2@db/shop?x=1", "no route to postgresql://***@db/shop?x=1"),
        ("user:hunter2@otel:4318", "***@otel:4318"),
        ("'user:hunter2@otel:4318'", "'***@otel:4318'"),
        ("host=db user=app password=hunter2 port=5432", "host=db user=app password=*** port=5432"),
        ("host=db password='hunt er2' port=5432", "host=db password=*** port=5432"),
        ('{"db_password": "hunter2", "port": 1}', '{"db_password": ***, "port": 1}'),
        ("PGPASSWORD=hunter2", "PGPASSWORD=***"),
        ('password="hunter2 and no end', "password=***"),
        ("password='hunter2 and no end", "password=***"),
        ("GET /?api_key=hunter2&x=1", "GET /?api_key=***&x=1"),
        ("Authorization: Bearer eyJhbGciOi.hunter2", "Authorization: Bearer ***"),
        ("the password is wrong", "the password is wrong"),
        ("connection to 127.0.0.1:5432 refused", "connection to 127.0.0.1:5432 refused"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, shown):
    """And nothing else is."""
    assert without_secrets(text) == brief(text) == shown


@pytest.mark.parametrize("text", ["no route to x://user:{}@host", "user:{}@host", "password={}", "password='{}'"])
def test_a_secret_that_is_longer_than_what_is_read_is_hidden(text):
    """Such as a token that is used as a password."""
    assert "eyJ" not in brief(text.format("eyJ" * 5_000))


@given(st.text(), st.text("abcdefgh0123%._~-", min_size=4, max_size=300))
def test_no_password_of_a_url_is_shown_wherever_it_stands(around, password):
    """Also where the text is cut."""
    told = brief(f"{around} x://user:{password}@host/ {around}")
    assert f":{password[:4]}" not in told.replace(around, "")


@pytest.mark.parametrize("part", ["x", "//", "a:", "a:b=", "password ", "basic "])
def test_a_long_text_costs_no_more_than_its_length(part):
    """It may come from outside, and nothing else runs meanwhile; by its square, it would take half an hour."""
    text = part * (1_000_000 // len(part))
    assert without_secrets(text) == text


def test_a_long_text_is_cut():
    """At once, however long it is; line breaks are none."""
    assert brief("word\n\tword") == "word word"
    assert brief("x" * SHOWN) == "x" * SHOWN
    assert brief("x" * 50_000_000) == "x" * (SHOWN - 1) + "…"


def test_of_a_long_text_both_ends_are_told():
    """A short one stays as it is."""
    assert ends_of("first\nlast", 10) == "first\nlast"
    for between in (20, 5_000_000):
        assert ends_of(f"first{'x' * between}\nlast!", 10) == "first\n[...]\nlast!"


@pytest.mark.parametrize("length", [20, 2_000, 60_000])
def test_no_part_of_a_secret_is_told_where_a_text_is_cut(length):
    """Wherever the cut falls: amid a password, or between a name and what it names."""
    secret = "hunter2" * (length // 7)
    for text in (f"db://shop:{secret}@db", f"password={secret}", f"Bearer {secret}", f"password='{secret}'"):
        for before in range(0, 1_500, 37):
            for told in (f"{'x ' * before}\n{text}\n{'y ' * 3_000}", f"{'x ' * 3_000}\n{text}\n{'y ' * before}"):
                assert "unter" not in ends_of(told, 200)
