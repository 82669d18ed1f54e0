"""The limits of a container: what cgroups of version 2 allow the process, and what they have used of it.

Source: the Linux kernel's documentation, "Control Group v2".
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["own_cgroups", "processors", "share_of_memory"]

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


def share_of_memory(folders: Sequence[Path]) -> float | None:
    """The share of the tightest limit that is used; None where there is no limit.

    File pages that the kernel can drop at once are not counted: with them, a container that reads files is always
    full. The kubelet counts in the same way what it evicts by.
    """
    return max(_shares_of_memory(folders), default=None)


def _shares_of_memory(folders: Sequence[Path]) -> Iterator[float]:
    for folder in folders:
        with suppress(OSError, ValueError, KeyError, ZeroDivisionError):  # the root has no limits, a "max" is none
            limit = int((folder / "memory.max").read_text())
            droppable = _table(folder / "memory.stat").get("inactive_file", 0)
            yield max(int((folder / "memory.current").read_text()) - droppable, 0) / limit


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
