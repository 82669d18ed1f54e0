"""By how much memory grows in a while, and at which call sites: the difference between two looks by tracemalloc."""

import gc
import linecache
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psutil

from manometer.meters.fork import Forked, freed_in_child, renewed_in_child

__all__ = ["SITES", "Growth", "Site", "measured", "resident"]

SITES = 10
"""Call sites that are told, those that grow most."""
FRAMES = 3
"""Frames of each that are told, the innermost ones; each makes every allocation dearer."""
TRACED_AT_MOST = 32_000_000
"""Bytes that tracemalloc may need for what it notes down. Where it needs more, the time ends early."""

_SETTLES = 0.25  # of the time: what is allocated and freed all the while is there at both looks then
_LOOK_EVERY = 1.0  # seconds
_LEAST = 0.01  # of the growth of the first site, from which on another is told


@dataclass(frozen=True, slots=True)
class Site:
    """A call site. frames: its file and line and those of its callers, each with the source, innermost first.

    grown, blocks: bytes and blocks that it holds more than at the first look; held: bytes at the second one.
    """

    frames: tuple[tuple[str, str], ...]
    grown: int
    blocks: int
    held: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What came between two looks, so many seconds apart.

    resident, resident_grown: bytes of the process's memory in RAM; grown: bytes of what Python has allocated.
    """

    seconds: float
    resident: int
    resident_grown: int
    grown: int
    sites: tuple[Site, ...]


def measured(seconds: float, stopped: Callable[[float], bool]) -> Growth | None:
    """Look twice, so many seconds after it began at most; None where it was stopped meanwhile.

    stopped: waits for so many seconds, and returns whether to give up. Each allocation of the program costs many
    times as much meanwhile. A program that traces already goes on with that, with as many frames as it traces. One
    thread measures at a time.
    """
    with _one, _tracing:
        if _wait(seconds * _SETTLES, stopped):
            return None
        before, resident_before, began = _look(), resident(), time.monotonic()
        if _wait(seconds * (1 - _SETTLES), stopped):
            return None
        after, took = _look(), time.monotonic() - began
        held = resident()
    changes = [each for each in after.compare_to(before, "traceback") if not _is_ours(each.traceback)]
    return Growth(
        seconds=took,
        resident=held,
        resident_grown=held - resident_before,
        grown=sum(each.size_diff for each in changes),
        sites=tuple(_greatest(changes)),
    )


def resident() -> int:
    """Bytes of the process's memory that are in RAM."""
    return int(psutil.Process().memory_info().rss)


def _wait(seconds: float, stopped: Callable[[float], bool]) -> bool:
    """Wait so long, or until there is too much to note down; whether it was stopped."""
    ends = time.monotonic() + seconds
    while True:
        if stopped(min(max(ends - time.monotonic(), 0.0), _LOOK_EVERY)):
            return True
        if time.monotonic() >= ends or tracemalloc.get_tracemalloc_memory() > TRACED_AT_MOST:
            return False


def _look() -> tracemalloc.Snapshot:
    gc.collect()  # what only waits for the garbage collector does not grow
    return tracemalloc.take_snapshot()


def _is_ours(traceback: tracemalloc.Traceback) -> bool:
    return any(frame.filename == __file__ for frame in traceback)


def _greatest(changes: list[tracemalloc.StatisticDiff]) -> Iterator[Site]:
    most = sorted(changes, key=lambda each: -each.size_diff)[:SITES]
    for each in most:
        if each.size_diff > _LEAST * max(most[0].size_diff, 0):
            yield Site(_frames(each.traceback), each.size_diff, each.count_diff, each.size)


def _frames(traceback: tracemalloc.Traceback) -> tuple[tuple[str, str], ...]:
    innermost_first = list(reversed(traceback))[:FRAMES]
    return tuple(
        (f"{_short(each.filename)}:{each.lineno}", linecache.getline(each.filename, each.lineno).strip())
        for each in innermost_first
    )


def _short(file: str) -> str:
    """The file as modules are found: below a folder of `sys.path`, the deepest that it is in."""
    folders = [folder for folder in sys.path if folder and Path(file).is_relative_to(folder)]
    return str(Path(file).relative_to(max(folders, key=len))) if folders else file


class _Tracing:
    """Has tracemalloc trace for the block, unless the program does. A child that is forked amid it does not."""

    def __init__(self) -> None:
        self._is_ours = False
        renewed_in_child(self)

    def __enter__(self) -> None:
        self._is_ours = not tracemalloc.is_tracing()
        if self._is_ours:
            tracemalloc.start(FRAMES)

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            tracemalloc.stop()
        self._is_ours = False

    def renew(self, _: Forked) -> None:
        self.__exit__()


_tracing = _Tracing()
_one = freed_in_child(Lock())
