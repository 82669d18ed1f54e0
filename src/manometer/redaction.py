"""Text of a program in logs, errors and pages: without its passwords, and not without end."""

import re
from collections.abc import Callable

__all__ = ["SHOWN", "brief", "ends_of", "without_secrets"]

SHOWN = 200
"""Characters of a text that are shown."""
_READ_AROUND = 5
"""So many times what is shown of a long text is read: what belongs to a secret may stand far from it."""
_HIDDEN = "***"


def _hidden_in_url(found: re.Match[str]) -> str:
    _, at, host = found[1].rpartition("@")
    return f"//{_HIDDEN}@{host}" if at else found[0]


def _hidden_before_at(found: re.Match[str]) -> str:
    return f"{_HIDDEN}@" if found[1] else found[0]


# A run of characters is taken as a whole, also where nothing is to be hidden: to begin anew at each of them would
# take the square of the time.
_SECRETS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"//([^\s'\"]*+)"), _hidden_in_url),  # user and password, with whatever characters
    (re.compile(r"(?<![^\s/:@'\"=])[^\s/:@'\"=]++:[^\s/@'\"]++(@?)"), _hidden_before_at),  # the same without a scheme
    (
        re.compile(
            r"""(?ix) \b ( \w* (?: passw(?:or)?d | pwd | secret | token | api[_-]?key | access[_-]?key ) )
            ( ["']? \s* [=:] \s* ) (?: "[^"]*"? | '[^']*'? | [^\s&;,"'})]+ )"""
        ),
        rf"\1\2{_HIDDEN}",
    ),
    (re.compile(r"(?i)\b(basic|bearer)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),  # of an Authorization header
)


def without_secrets(text: str) -> str:
    """The text with asterisks for what looks like a password: in a URL, after such a name, or in a header.

    It is a net and no proof: what a program calls by another name passes.
    """
    for pattern, hidden in _SECRETS:
        text = pattern.sub(hidden, text)
    return text


def brief(text: str) -> str:
    """The text in one line, without secrets, cut where it is long."""
    line = without_secrets(" ".join(_beginning(text, SHOWN).split()))
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def ends_of(text: str, size: int) -> str:
    """The text without secrets, and of a long one the first and the last characters alone, `size` in all."""
    half = size // 2
    if len(text) <= 2 * _READ_AROUND * half:
        text = without_secrets(text)
        if len(text) <= size:
            return text
        first = last = text
    else:
        _, _, rest = text[-_READ_AROUND * half :].partition("\n")  # a part of a line may be a part of a secret
        first, last = without_secrets(_beginning(text, half)), without_secrets(rest)
    return f"{first[:half]}\n[...]\n{last[-half:]}"


def _beginning(text: str, shown: int) -> str:
    """What is read of a text of which so many characters are shown."""
    read = text[: _READ_AROUND * shown]
    return read if len(read) == len(text) else f"{read}@"  # by which the cut password of a URL is known
