"""The figures of a group of processes: a file of each that is alive, and one of all that have ended.

Whoever finds that a process has ended adds its figures to the file of those, which names whose it includes, and
then removes the process's own. So a crash on the way loses nothing and doubles nothing, and the files are never
many more than the live processes.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path

from manometer.exporter.multiprocess.files import TEMPORARY, OwnFile, owner_lives, sole
from manometer.exporter.multiprocess.snapshot import AlienError, Snapshot, UnreadableError, decode, encode
from manometer.exporter.multiprocess.totals import Totals
from manometer.meters.labels import SERIES_CAP

__all__ = ["Directory"]

_SUFFIX = ".manometer"
_OF_PROCESS = re.compile(rf"\d+-\d+{re.escape(_SUFFIX)}")
_TRIES = 20  # readings that the end of a process may overtake, before one is taken as it is
_STALE = 60.0  # seconds after which a file that is not whole is taken for one that never will be

Problems = list[tuple[Path, Exception]]


class Directory:
    """A directory of figures.

    unreadable: hears of each file that makes no sense or cannot be read, each time.
    folded: hears of each family that has too many series to keep those of every process that ended.
    """

    def __init__(
        self,
        path: Path,
        unreadable: Callable[[Path, Exception], None],
        folded: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path
        self._ended = path / f"ended{_SUFFIX}"
        self._unreadable = unreadable
        self._folded = folded

    def own_file(self) -> OwnFile:
        """A file for this process, of a name that no other process had or will have, whatever its id."""
        return OwnFile(self.path / f"{os.getpid()}-{time.time_ns()}{_SUFFIX}")

    def read(self) -> list[Snapshot]:
        """The figures of every process, each counted once: of those that live, those that ended, and all before."""
        for _ in range(_TRIES):
            problems: Problems = []
            found, steady = self._read(problems)
            if steady:
                break
        for path, error in problems:
            self._unreadable(path, error)
        return found

    def settle(self) -> None:
        """Add the figures of processes that have ended to those before; OSError where they cannot be written."""
        if self._left_behind():
            with sole(self.path) as alone:
                if alone:
                    self._settle()

    # --- reading

    def _read(self, problems: Problems) -> tuple[list[Snapshot], bool]:
        """The figures, and whether none were moved to the file of the ended processes meanwhile."""
        with ExitStack() as stack:
            file = None
            try:
                # Open to the end, so that no file which takes its place can be given its inode.
                file = stack.enter_context(FileIO(self._ended))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                problems.append((self._ended, error))
            ended = _snapshot(self._ended, file, problems) if file is not None else None
            includes = ended.includes if ended is not None else ()
            found = [
                each
                for path in self._paths()
                if path.name not in includes and (each := self._of_process(path, problems)) is not None
            ]
            found.sort(key=lambda each: not each.alive)
            return found + ([] if ended is None else [ended._replace(alive=False)]), _is_at(self._ended, file)

    def _of_process(self, path: Path, problems: Problems) -> Snapshot | None:
        try:
            with FileIO(path) as file:
                found = _snapshot(path, file, problems)
                return found and found._replace(alive=owner_lives(path, file.fileno()))
        except FileNotFoundError:  # it has ended, and been moved, since it was listed
            return None
        except OSError as error:
            problems.append((path, error))
            return None

    def _paths(self) -> list[Path]:
        """The files of single processes."""
        try:
            return sorted(path for path in self.path.iterdir() if _OF_PROCESS.fullmatch(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    # --- settling

    def _settle(self) -> None:
        ended = Snapshot(0, [])
        try:
            ended = decode(self._ended.read_bytes())
        except FileNotFoundError:
            pass
        except AlienError as error:  # and so not ours to replace
            self._unreadable(self._ended, error)
            return
        except UnreadableError as error:
            self._unreadable(self._ended, error)
        totals = Totals(SERIES_CAP, self._folded)
        totals.add(ended._replace(alive=False))
        left = self._left_behind()
        done = [path for path in left if path.name in ended.includes]  # by one that did not come to remove them
        new = [path for path in left if path not in done and self._take(path, totals)]
        if new:
            file = OwnFile(self._ended)
            file.write(encode(Snapshot(0, totals.families(), includes=[path.name for path in done + new])))
            file.abandon()
        for path in done + new:
            path.unlink(missing_ok=True)

    def _left_behind(self) -> list[Path]:
        """The files of processes that have ended; what they were killed in the midst of writing is removed."""
        found = []
        for path in self._paths():
            with suppress(OSError), FileIO(path) as file:
                if not owner_lives(path, file.fileno()):
                    found.append(path)
        for path in self.path.glob(f"*{_SUFFIX}{TEMPORARY}"):
            with suppress(OSError), FileIO(path) as file:
                if time.time() - path.stat().st_mtime > _STALE and not owner_lives(path, file.fileno()):
                    path.unlink()
        return found

    def _take(self, path: Path, totals: Totals) -> bool:
        """Add the figures of a process that has ended; False where its file is to stay."""
        try:
            totals.add(decode(path.read_bytes())._replace(alive=False))
        except AlienError as error:
            self._unreadable(path, error)
            return False
        except UnreadableError as error:
            self._unreadable(path, error)
        return True


def _snapshot(path: Path, file: FileIO, problems: Problems) -> Snapshot | None:
    try:
        return decode(file.read())
    except (OSError, UnreadableError) as error:
        problems.append((path, error))
        return None


def _is_at(path: Path, file: FileIO | None) -> bool:
    """Whether what is at the path is that open file, or nothing where there was nothing."""
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return file is None
    return file is not None and os.path.samestat(there, os.fstat(file.fileno()))
