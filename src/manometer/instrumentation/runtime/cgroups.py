"""The limits of a container: what cgroups of version 2 allow the process, and what they have used of it.

Source: the Linux kernel's documentation, "Control Group v2".
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["Memory", "memory", "own_cgroups", "processors"]

_MOUNTED = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def own_cgroups(mounted: Path = _MOUNTED, own: Path = _OWN) -> list[Path]:
    """The folders of the cgroups that the process is in, from its own to the root; none where there are none."""
    try:
        paths = [line.removeprefix("0::") for line in own.read_text().splitlines() if line.startswith("0::")]
    except (OSError, ValueError):
        return []
    found: list[Path] = []
    for path in paths:  # one at most, that of version 2
        folder = mounted / path.strip("/")
        if ".." in folder.parts or not folder.is_dir():  # a path of the host's, of which the container sees a part
            folder = mounted
        found += [each for each in (folder, *folder.parents) if each.is_relative_to(mounted)]
    return found


class Memory(NamedTuple):
    """What counts against a limit, and the limit: bytes."""

    working_set: int
    limit: int

    @property
    def share(self) -> float:
        """The share of the limit that is used."""
        return self.working_set / self.limit


def memory(folders: Sequence[Path]) -> Memory | None:
    """The memory under the limit of which the greatest share is used; None where there is no limit.

    File pages that the kernel can drop at once are not counted: with them, a container that reads files is always
    full. The kubelet counts in the same way what it evicts by.
    """
    return max(_memories(folders), key=lambda each: each.share, default=None)


def _memories(folders: Sequence[Path]) -> Iterator[Memory]:
    for folder in folders:
        with suppress(OSError, ValueError, KeyError):  # the root has no limits, a "max" is none
            limit = int((folder / "memory.max").read_text())
            if limit > 0:
                droppable = _table(folder / "memory.stat").get("inactive_file", 0)
                yield Memory(max(int((folder / "memory.current").read_text()) - droppable, 0), limit)


def processors(folders: Sequence[Path]) -> dict[tuple[Path, float], float]:
    """Where the processors are limited: the seconds of them that were used, by folder and by how many there are."""
    found = {}
    for folder in folders:
        with suppress(OSError, ValueError, KeyError):
            quota, period = (folder / "cpu.max").read_text().split()
            number = int(quota) / int(period)
            found[folder, number] = _table(folder / "cpu.stat")["usage_usec"] / 1e6
    return found


def _table(file: Path) -> dict[str, int]:
    """The numbers of a file that has a name and a number on each line."""
    return {name: int(number) for name, number in (line.split() for line in file.read_text().splitlines())}
