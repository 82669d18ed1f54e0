"""Which of the names that there are was meant by one that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches

from manometer.redaction import SHOWN

__all__ = ["nearest"]


def nearest(name: object, known: Iterable[str]) -> str:
    """What may have been meant, as half a sentence."""
    names = list(known)
    close = []
    if isinstance(name, str) and name:
        begin = [each for each in names if each.startswith(name)]  # such as prod of production
        close = get_close_matches(name[:SHOWN], names) or begin
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(names)}" if names else "there are none"
