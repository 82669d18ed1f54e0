"""What takes more and more memory, as a text for people."""

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from manometer.errors import UnsupportedError

if TYPE_CHECKING:
    from manometer.heap.growth import Growth

__all__ = ["memory_report", "told"]

_NATIVE = 2.0  # times what Python allocated, from which on the growth is somebody else's
_WORTH = 1_000_000  # bytes that resident memory has to grow by for that to be said


def memory_report(seconds: float = 60.0) -> str:
    """Look for so many seconds at what the program allocates, and return which call sites hold more than before.

    It tells the ten that grew most, each with the source lines of its innermost frames. The calling thread waits;
    the others go on, but each allocation costs them many times as much. Python's tracemalloc looks, by two snapshots:
    the first after a quarter of the time, so that work under way is in both. The time ends early where more than
    32 MB are to be noted down.
    Raises UnsupportedError where psutil cannot be loaded, as in some subinterpreters.
    """
    try:
        from manometer.heap.growth import measured  # psutil and tracemalloc, which few programs need
    except ImportError as error:
        raise UnsupportedError(f"memory is not looked at: psutil cannot be loaded here ({error})") from error

    def never(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    return told(cast("Growth", measured(seconds, never)))


def told(growth: "Growth", service: str = "") -> str:
    """The text for what was measured. service: the name of the program."""
    of = f"{service}, process" if service else "process"
    lines = [
        f"What takes more memory: {of} {os.getpid()}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"In {growth.seconds:.3g} s, resident memory grew by {_mb(growth.resident_grown)} to {_mb(growth.resident)}. "
        f"What Python allocated grew by {_mb(growth.grown)}.",
    ]
    if growth.resident_grown > max(_NATIVE * growth.grown, _WORTH):
        lines.append(
            "So most of it was not allocated by Python: look at extension modules, "
            "or at free memory that the allocator keeps."
        )
    for number, site in enumerate(growth.sites, 1):
        lines += ["", f"{number}. {_mb(site.grown)} more in {site.blocks} blocks more, {_mb(site.held)} in all"]
        width = max(len(place) for place, _ in site.frames)
        lines += [f"   {place:<{width}}  {source}".rstrip() for place, source in site.frames]
    return "\n".join(lines) + "\n"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.2f} MB"
