"""A disk without room, and a directory that may not be written to: each comes while workers count, and goes again."""

import http.client
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watching import Group, Watch, counted, page, until

__all__ = ["full", "unwritable"]

_WORKERS = 3
_SECONDS = 3.0
_NOBODY = 65534


def full(folder: Path) -> dict[str, Any]:
    """Fill the disk of the directory, and free it again. Only root can mount a disk to fill."""
    disk = folder / "disk"
    disk.mkdir()
    filler = disk / "filler"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(disk)], check=True)
    try:
        return _gone_through(Group(folder, disk / "group", "--grows"), lambda: _fill(filler), filler.unlink)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def unwritable(folder: Path) -> dict[str, Any]:
    """Take the right to the directory from its user, and give it back. Only root can be another user."""
    folder.chmod(0o755)
    directory = folder / "group"
    directory.mkdir(mode=0o700)
    os.chown(directory, _NOBODY, _NOBODY)
    group = Group(folder, directory, "--user", str(_NOBODY))
    return _gone_through(group, lambda: directory.chmod(0), lambda: directory.chmod(0o700))


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def _gone_through(group: Group, begin: Callable[[], object], end: Callable[[], object]) -> dict[str, Any]:
    """What came of a fault that begins while workers count and are scraped, and ends again."""
    with group:
        for _ in range(_WORKERS):
            group.start()
        url = group.workers[0].url
        until(lambda: len(counted(page(url))) == _WORKERS, "all workers are shown")
        with Watch(url) as watch:
            before = group.events
            begin()
            until(lambda: _is_told(url), "the fault is told")
            time.sleep(_SECONDS)
            end()
            after = group.events
            until(lambda: sum(watch.shown.values()) >= after, "what was counted meanwhile is shown")
        last = group.end()
    return {
        "events": after - before,
        "lost": group.events - sum(last.values()),
        "answers": dict(watch.answers),
        "falls": watch.falls,
        "wrong": [],
    }


def _is_told(url: str) -> bool:
    """Whether a scrape tells that figures cannot be written, by its answer or by a figure."""
    try:
        return 'manometer_process_file_failures_total{manometer_process_file_operation="write"}' in page(url)
    except (OSError, http.client.HTTPException):
        return True
