"""The figures of a group of processes: a file of each that is alive, and one of all that have ended.

Whoever finds that a process has ended adds its figures to the file of the ended, which names the files that it
includes, and then removes the process's own. So a crash on the way loses nothing and doubles nothing, and the files
are never many more than the live processes. The file of the ended has a copy, so that no damage costs all totals.
"""

import os
import re
import time
from collections.abc import Callable, Container, Iterable
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from manometer.errors import ConfigError, IncompleteError
from manometer.meters.labels import SERIES_CAP
from manometer.processes.file_head import AlienError, UnreadableError
from manometer.processes.file_reading import decode
from manometer.processes.file_writing import encode
from manometer.processes.locked_file import DAMAGED, TEMPORARY, OwnFile, is_locked, owner_lives, put_aside, sole
from manometer.processes.merge import Merge
from manometer.processes.snapshot import Process, Snapshot
from manometer.processes.trust import distrust, regular
from manometer.processes.vanished import Vanished

__all__ = ["Directory"]

_SUFFIX = ".manometer"
_OF_PROCESS = re.compile(rf"\d+(\.\d+)?-\d+{re.escape(_SUFFIX)}")
_TRIES = 20  # readings that the end of a process may overtake, before one is taken as it is
_STALE = 60.0  # seconds after which a file that is not whole is taken for one that never will be


class Problem(NamedTuple):
    """A file that cannot be read, and whether it may come back: its process is alive, or the system refuses it."""

    path: Path
    error: Exception
    passes: bool


class Directory:
    """A directory of figures.

    unreadable: hears of each file that makes no sense or cannot be read, each time.
    of_anyone: whether the directory may be another user's.
    folded: hears of each family that has too many series to keep those of every process that ended.
    """

    def __init__(
        self,
        path: Path,
        unreadable: Callable[[Path, Exception], None],
        folded: Callable[[str], None] | None = None,
        *,
        of_anyone: bool = False,
    ) -> None:
        self.path = path
        self._of_anyone = of_anyone
        self._ended = path / f"ended{_SUFFIX}"
        self._copy = path / f"ended-copy{_SUFFIX}"
        self._needs_repair = False
        self._vanished = Vanished()
        self._unreadable = unreadable
        self._folded = folded

    def own_file(self, interpreter: int = 0) -> OwnFile:
        """A file for this process, of a name that no other process had or will have, whatever its id."""
        process = Process(os.getpid(), interpreter)
        return OwnFile(self.path / f"{process.label}-{time.time_ns()}{_SUFFIX}")

    def read(self) -> list[Snapshot]:
        """The figures of every process, each counted once: of those that live, those that ended, and all before.

        What is damaged is put aside; a process that is alive writes its file again. Raises IncompleteError where
        figures are missing that will be back: without them, totals would fall, and jump when they come. So it goes
        on to raise until that process has written, or has ended; and where the directory is not to be believed.
        """
        doubt = self.doubt()
        if doubt is not None:
            raise IncompleteError(f"the figures in {self.path} are not believed: {doubt}")
        for _ in range(_TRIES):
            problems: list[Problem] = []
            found, steady = self._read(problems)
            if steady:
                break
        for each in problems:
            self._unreadable(each.path, each.error)
        missing = next((each for each in problems if each.passes), None)
        if missing is not None:
            raise IncompleteError(f"figures of {missing.path} are missing: {missing.error}")
        return found

    def doubt(self) -> str | None:
        """Why what is in the directory may be another user's, or None."""
        return distrust(self.path, of_anyone=self._of_anyone)

    def need_trust(self) -> None:
        """Raise ConfigError where there is such a doubt."""
        doubt = self.doubt()
        if doubt is not None:
            told = f"processes_dir {self.path} is not safe: {doubt}; make it its user's alone, or name another"
            raise ConfigError(told)

    def settle(self) -> None:
        """Add the figures of processes that have ended to those before; OSError where they cannot be written."""
        if self._needs_repair or self._left_behind():
            with sole(self.path) as alone:
                if alone:
                    self._settle()

    # --- reading

    def _read(self, problems: list[Problem]) -> tuple[list[Snapshot], bool]:
        """The figures, and whether none were moved to the file of the ended processes meanwhile."""
        with ExitStack() as stack:
            known, file, refused = self._vanished.known, None, None
            try:
                # Open to the end, so that no file which takes its place can be given its inode.
                file = stack.enter_context(regular(self._ended))
            except (FileNotFoundError, NotADirectoryError):
                pass
            except (OSError, UnreadableError) as error:
                refused = error
            ended = self._of_ended(file, problems)
            if refused is not None:
                is_of_system = isinstance(refused, OSError)
                self._needs_repair |= not is_of_system
                problems.append(Problem(self._ended, refused, passes=ended is None and is_of_system))
            includes = ended.includes if ended is not None else ()
            found = [
                each
                for path in self._paths()
                if path.name not in includes and (each := self._of_process(path, problems)) is not None
            ]
            told = {each.file for each in found} | {each.path.name for each in problems} | {*includes}
            problems += self._awaited(told)
            if ended is not None:
                self._vanished.settled()
            problems += self._removed(self._vanished.awaited(known if ended is None else (), told))
            self._vanished.saw([each.file for each in found if each.alive])
            found.sort(key=lambda each: not each.alive)
            return found + ([] if ended is None else [ended._replace(alive=False)]), _is_at(self._ended, file)

    def _of_ended(self, file: FileIO | None, problems: list[Problem]) -> Snapshot | None:
        """What the file says, or its copy where the file is not whole, or is not there yet."""
        if file is not None:
            try:
                return decode(file.read())
            except AlienError as error:
                problems.append(Problem(self._ended, error, passes=False))
                return None
            except (OSError, UnreadableError) as error:
                problems.append(Problem(self._ended, error, passes=False))
                self._needs_repair = True
        try:
            with regular(self._copy) as copy:
                return decode(copy.read())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnreadableError) as error:
            problems.append(Problem(self._copy, error, passes=isinstance(error, OSError)))
            return None

    def _of_process(self, path: Path, problems: list[Problem]) -> Snapshot | None:
        try:
            with regular(path) as file:
                alive = owner_lives(path, file.fileno())
                try:
                    return _decoded(file, alive)._replace(alive=alive, file=path.name)
                except AlienError as error:
                    problems.append(Problem(path, error, passes=False))
                except UnreadableError as error:
                    problems.append(Problem(path, error, passes=alive))
                    put_aside(path, file.fileno())
        except FileNotFoundError:  # it has ended, and been moved, since it was listed
            pass
        except (OSError, UnreadableError) as error:
            problems.append(Problem(path, error, passes=isinstance(error, OSError)))
        return None

    def _awaited(self, told: Container[str]) -> Iterable[Problem]:
        """Files besides these that someone has put aside, and that a live process has not written again."""
        for aside in self.path.glob(f"*{_SUFFIX}{DAMAGED}"):
            path = aside.with_name(aside.name.removesuffix(DAMAGED))
            if path.name not in told and _OF_PROCESS.fullmatch(path.name):
                with suppress(OSError, UnreadableError), regular(aside) as file:
                    if is_locked(file.fileno()):
                        error = UnreadableError("it was damaged, and its process has not written again")
                        yield Problem(path, error, passes=True)

    def _removed(self, names: Iterable[str]) -> Iterable[Problem]:
        """Files that someone has removed, and that a live process has not written again."""
        for name in names:
            error = UnreadableError("it was removed, and its process has not written again")
            yield Problem(self.path / name, error, passes=True)

    def _paths(self) -> list[Path]:
        """The files of single processes."""
        try:
            return sorted(path for path in self.path.iterdir() if _OF_PROCESS.fullmatch(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    # --- settling

    def _settle(self) -> None:
        try:
            ended = self._whole_ended()
        except AlienError as error:  # and so not ours to replace
            self._unreadable(self._ended, error)
            return
        totals = Merge(SERIES_CAP, self._folded)
        _add(ended, totals)
        left = self._left_behind()
        done = [path for path in left if path.name in ended.includes]  # by one that did not come to remove them
        new = [path for path in left if path not in done and self._take(path, totals)]
        if new or self._needs_repair:
            content = encode(Snapshot(Process(0), totals.families(), includes=[path.name for path in done + new]))
            for place in (self._copy, self._ended):  # whichever is read, what it includes is counted once
                file = OwnFile(place)
                file.write(content)
                file.abandon()
            self._needs_repair = False
        for path in done + new:
            path.unlink(missing_ok=True)

    def _whole_ended(self) -> Snapshot:
        """The figures of those that ended before, from whichever of the two files is whole."""
        for place in (self._ended, self._copy):
            try:
                return _decoded_or_aside(place)
            except FileNotFoundError:
                pass
            except AlienError:
                raise
            except UnreadableError as error:
                self._unreadable(place, error)
                self._needs_repair = True
        return Snapshot(Process(0), [])

    def _left_behind(self) -> list[Path]:
        """The files of processes that have ended; what they were killed in the midst of writing is removed."""
        found, alive = [], []
        for path in self._paths():
            with suppress(OSError, UnreadableError), regular(path) as file:
                if owner_lives(path, file.fileno()):
                    alive.append(path.name)
                else:
                    found.append(path)
        self._vanished.saw(alive)
        for path in self.path.glob(f"*{_SUFFIX}{TEMPORARY}"):
            with suppress(OSError, UnreadableError), regular(path) as file:
                if time.time() - path.stat().st_mtime > _STALE and not owner_lives(path, file.fileno()):
                    path.unlink()
        return found

    def _take(self, path: Path, totals: Merge) -> bool:
        """Add the figures of a process that has ended; False where there are none to add."""
        try:
            _add(_decoded_or_aside(path), totals)
        except (OSError, UnreadableError) as error:
            self._unreadable(path, error)
            return False
        return True


def _decoded_or_aside(path: Path) -> Snapshot:
    """What the file of a process that has ended says; one that makes no sense is put aside."""
    with regular(path) as file:
        try:
            return decode(file.read())
        except AlienError:
            raise
        except UnreadableError:
            put_aside(path, file.fileno())
            raise


def _decoded(file: FileIO, alive: bool) -> Snapshot:
    """What the file says. alive: whether its process is, and so may be amid the writing of the head."""
    try:
        return decode(file.read())
    except UnreadableError:
        if not alive:
            raise
    file.seek(0)
    return decode(file.read())


def _add(ended: Snapshot, totals: Merge) -> None:
    """Add a process that has ended. Its series beside those of live ones must not fall, however many it has."""
    totals.make_room(ended)
    totals.add(ended._replace(alive=False))


def _is_at(path: Path, file: FileIO | None) -> bool:
    """Whether what is at the path is that open file, or nothing where there was nothing."""
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return file is None
    return file is not None and os.path.samestat(there, os.fstat(file.fileno()))
