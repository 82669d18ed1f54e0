"""What an HTTP Accept or Accept-Encoding header asks for, best first."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["MediaRange", "media_ranges"]


class MediaRange(NamedTuple):
    """One thing that a client takes; names are in lower case, and `q` is not among the parameters."""

    type: str
    parameters: Mapping[str, str]
    quality: float


def media_ranges(accept: str) -> list[MediaRange]:
    """What a client takes, by falling quality and then in its own order; what it refuses (`q=0`) is left out."""
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    return sorted((each for each in ranges if each.quality > 0), key=lambda each: -each.quality)


def _range(text: str) -> MediaRange:
    kind, *rest = text.split(";")
    parameters = {
        name.strip().lower(): value.strip().strip('"') for name, _, value in (each.partition("=") for each in rest)
    }
    return MediaRange(kind.strip().lower(), parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
