"""Headers, the one setting whose text is taken apart."""

import pytest

from manometer.config.rules import headers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=b", {"a": "b"}),
        ("Authorization=Basic%20eDp5,x-scope=  a b ", {"authorization": "Basic eDp5", "x-scope": "a b"}),
        ("a=b\nc=d=e\n", {"a": "b", "c": "d=e"}),
        ("a=", {"a": ""}),
        (" , ", {}),
    ],
)
def test_headers_are_read_as_open_telemetry_has_them(text, found):
    """Pairs with commas or line breaks between them, percent-encoded."""
    assert headers(text) == found


@pytest.mark.parametrize("text", ["a", "=b", "a b=c", "é=a", "a=é", "a=b%0d%0aevil: 1", "a:b=c"])
def test_what_http_does_not_allow_is_refused(text):
    """A line break in a value would begin a header of its own."""
    with pytest.raises(ValueError, match="no pair of a name and a value"):
        headers(text)
