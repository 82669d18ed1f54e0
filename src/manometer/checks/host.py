"""Checks of what the program runs on: memory, disk and processor, of its container where that has limits."""

import os
import shutil
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from manometer.checks.shares import MOST, checked, used
from manometer.errors import UnsupportedError
from manometer.health import Finding
from manometer.instrumentation.runtime import cgroups as limits
from manometer.instrumentation.runtime.cgroups import own_cgroups, processors

__all__ = ["Processor", "cpu", "disk", "memory"]

_APART = 1.0  # seconds at least between two readings of the processor: less would show a moment

Cgroups = Callable[[], Sequence[Path]]


def memory(at_most: float = MOST, *, cgroups: Cgroups = own_cgroups) -> Callable[[], Finding]:
    """Whether memory runs out: the container's where it has a limit, the host's elsewhere.

    at_most: the share that may be used. cgroups: the folders of the container's limits.
    Raises UnsupportedError where psutil cannot be loaded.
    """
    checked("memory", at_most)
    psutil = _psutil("memory")

    def run() -> Finding:
        limited = limits.memory(cgroups())
        if limited is None:
            return used("the host's memory", psutil.virtual_memory().percent / 100, at_most)
        return used("the container's memory", limited.share, at_most)

    return run


def disk(path: str | os.PathLike[str] = ".", at_most: float = MOST) -> Callable[[], Finding]:
    """Whether the disk that the path is on runs full. at_most: the share that may be used.

    What is kept for root counts as neither used nor free, as `df` has it.
    """
    checked("the disk", at_most)
    whole = Path(path).absolute()  # the program may change its folder

    def run() -> Finding:
        usage = shutil.disk_usage(whole)
        return used(f"the disk of {whole}", usage.used / max(usage.used + usage.free, 1), at_most)

    return run


def cpu(at_most: float = MOST, *, cgroups: Cgroups = own_cgroups) -> Callable[[], Finding]:
    """Whether the processors are busy: those the container may use where it has a limit, all of the host elsewhere.

    It goes by the time since the run before, so that a moment of work is no failure.
    at_most: the share that may be used. cgroups: the folders of the container's limits.
    Raises UnsupportedError where psutil cannot be loaded.
    """
    checked("the processor", at_most)
    return Processor(at_most, times=_psutil("processor").cpu_times, cgroups=cgroups)


class Processor:
    """How busy the processors were between the readings of one run and the next.

    psutil's own cpu_percent() compares with the last call in the same thread, and each run has a new one.
    times: what psutil.cpu_times returns; clock: seconds, monotonic.
    """

    def __init__(
        self,
        at_most: float,
        *,
        times: Callable[[], Any],
        cgroups: Cgroups,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_most, self._times, self._cgroups, self._clock = at_most, times, cgroups, clock
        self._at, self._read = clock(), self._now()

    def __call__(self) -> Finding:
        """What was used since the last reading; nothing where that one is no second old."""
        at = self._clock()
        if at - self._at < _APART:
            return Finding()
        before, now = self._read, self._now()
        self._at, self._read = at, now
        shares = [_share(before[key], now[key]) for key in now if key in before]
        return used("the processor", max(shares), self._at_most) if shares else Finding()

    def _now(self) -> Mapping[Hashable, tuple[float, float]]:
        """Seconds of processor time so far, used and there to be used: by limit, or of the host."""
        limited = processors(self._cgroups())
        if not limited:
            return {"host": _spent(self._times())}
        now = self._clock()
        return {(folder, number): (spent, now * number) for (folder, number), spent in limited.items()}


def _share(before: tuple[float, float], after: tuple[float, float]) -> float:
    busy, there = (now - then for then, now in zip(before, after, strict=True))
    return busy / there if there > 0 else 0.0


def _spent(times: Any) -> tuple[float, float]:
    """Seconds in which all processors did something, and all of their seconds."""
    # What a guest uses stands under `user` as well; Linux alone has it, and the time of waiting for a disk.
    parts = times._asdict()
    there = sum(parts.values()) - parts.get("guest", 0.0) - parts.get("guest_nice", 0.0)
    return there - parts["idle"] - parts.get("iowait", 0.0), there


def _psutil(what: str) -> Any:
    try:
        import psutil  # slow to import
    except ImportError as error:  # in a subinterpreter
        raise UnsupportedError(f"the {what} cannot be checked: psutil cannot be loaded here ({error})") from error
    return psutil
