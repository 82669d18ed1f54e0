"""A last report: what a program that crashes was doing, and its last figures, in a file that its operator named."""

import logging
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import EISDIR
from pathlib import Path
from threading import Lock
from types import TracebackType

from prometheus_client import CollectorRegistry

from manometer.errors import ConfigError
from manometer.exposition.render import rendered
from manometer.life.private_file import close_unneeded, opened_to_append
from manometer.meters.fork import freed_in_child
from manometer.redaction import brief, ends_of, without_secrets
from manometer.registry.limits import Limits
from manometer.registry.timely import collect_in_time
from manometer.version import __version__
from manometer.whole_file import write_whole

try:
    import faulthandler
except ImportError:  # in a subinterpreter with a lock of its own: fatal errors are the whole process's
    faulthandler = None  # type: ignore[assignment]

__all__ = ["LastReport", "leave_reports", "report_to_the_end", "reporting"]

SIZE = 1 << 20
"""Bytes of a report at most: figures that do not fit are left out."""
_TOLD = 64 << 10  # characters of the exception's traceback
_THREADS, _FRAMES = 100, 20
_PATIENCE = Limits(1.0, 3.0)  # seconds for the figures: a program that crashes is not held up
_APART = 10.0  # seconds between two reports of threads that die: the program goes on, and others may die
_FATAL = 256 << 10  # bytes of older fatal errors that are kept

_log = logging.getLogger("manometer")


class LastReport:
    """Writes a report when an exception ends the program or a thread of it, and when Python itself dies.

    The hooks that were there before are called as before. SystemExit and KeyboardInterrupt are no crash.
    path: the report, replaced as a whole by the next one. A fatal error, such as a segmentation fault, is told by
    Python's faulthandler, at the end of the file that is named so with `.fatal` behind; not where the program or an
    earlier report has set faulthandler up: it writes to one file. Both are for their user alone.
    Raises ConfigError where no file can be written there.
    """

    def __init__(self, path: str, registry: CollectorRegistry, service: str) -> None:
        self._path, self._registry, self._service = Path(path).absolute(), registry, service
        self._fatal_path = self._path.with_name(f"{self._path.name}.fatal")
        self._lock = freed_in_child(Lock())
        self._written_at = -_APART
        self._pid = os.getpid()
        try:
            if self._path.is_dir():  # no file can take its place
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
            self._fatal = opened_to_append(self._fatal_path, _FATAL)
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(
                f"crash_report {path} cannot be written ({reason}); name a file in a folder of this user"
            ) from None

    def install(self) -> Callable[[], None]:
        """Watch from now on; return what ends that."""
        self._hook, self._thread_hook = sys.excepthook, threading.excepthook
        sys.excepthook, threading.excepthook = self._excepted, self._thread_excepted
        self._has_faults = faulthandler is not None and not faulthandler.is_enabled()
        if self._has_faults:
            faulthandler.enable(self._fatal)
        _installed.append(self)
        return self._uninstall

    def leave(self, error: BaseException, thread: str) -> None:
        """Write the report of an exception, once; never raises."""
        if not isinstance(error, Exception):
            return
        with suppress(Exception):  # its attributes are the program's, and may fail at being read or set
            told = getattr(error, _MARK, ())
            if self._path in told:
                return
            setattr(error, _MARK, (*told, self._path))
        try:
            write_whole(self._path, self._text(error, thread), 0o600)
        except Exception as fault:
            _log.warning("no last report could be left in %s: %s", self._path, brief(str(fault)))

    def _excepted(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if self in _installed:
            self.leave(error, threading.current_thread().name)
        self._hook(kind, error, trace)

    def _thread_excepted(self, args: threading.ExceptHookArgs) -> None:
        if self in _installed and args.exc_value is not None and self._may_again():
            self.leave(args.exc_value, "a thread that is gone" if args.thread is None else args.thread.name)
        self._thread_hook(args)

    def _may_again(self) -> bool:
        now = time.monotonic()
        with self._lock:
            may = now - self._written_at >= _APART
            if may:
                self._written_at = now
            return may

    def _uninstall(self) -> None:
        _installed.remove(self)
        # Bound methods are made anew at each look: they are equal, and not the same.
        if sys.excepthook == self._excepted:
            sys.excepthook = self._hook
        if threading.excepthook == self._thread_excepted:
            threading.excepthook = self._thread_hook
        if self._has_faults:
            faulthandler.disable()
        if os.getpid() == self._pid:
            close_unneeded(self._fatal, self._fatal_path)
        else:  # a forked child ends too, and the file is its parent's yet
            self._fatal.close()

    def _text(self, error: BaseException, thread: str) -> bytes:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        head = (
            f"Last report of {self._service}, process {os.getpid()}, {at}\n"
            f"Python {platform.python_version()}, Manometer {__version__}\n\n"
            f"An exception ended the thread {thread!r}:\n\n"
            f"{_told(error)}\n\nWhat ran:\n{_running()}\nThe last figures:\n\n"
        )
        begun = without_secrets(head).encode(errors="backslashreplace")
        return begun + _whole_lines(self._figures(), SIZE - len(begun))

    def _figures(self) -> bytes:
        try:
            return rendered(self._registry, collect_in_time(self._registry, limits=_PATIENCE))[0]
        except Exception as error:
            return f"cannot be had: {type(error).__qualname__}: {brief(str(error))}\n".encode()


@contextmanager
def reporting(path: str | None, registry: CollectorRegistry, service: str) -> Iterator[None]:
    """Leave a report of a crash in this block, where a path says where."""
    if path is None:
        yield
        return
    end = LastReport(path, registry, service).install()
    try:
        yield
    finally:
        end()


def report_to_the_end(path: str, registry: CollectorRegistry, service: str) -> None:
    """Leave reports until the process ends, once for a file and a registry: nobody ends an application."""
    if not any((each._path, each._registry) == (Path(path).absolute(), registry) for each in _installed):
        LastReport(path, registry, service).install()


def leave_reports(error: BaseException | None) -> None:
    """Leave the reports that the program wants, of an exception that ends what it has started."""
    if error is not None:
        for report in [*_installed]:
            report.leave(error, threading.current_thread().name)


def _told(error: BaseException) -> str:
    try:
        told = "".join(traceback.format_exception(error))
    except Exception:  # its text cannot be had
        told = "".join([*traceback.format_tb(error.__traceback__), type(error).__qualname__])
    return ends_of(told, _TOLD)


def _running() -> str:
    """Each thread, and where it is: the innermost frames alone."""
    names = {each.ident: each.name for each in threading.enumerate()}
    lines = []
    for number, (ident, frame) in enumerate(sys._current_frames().items()):
        if number == _THREADS:
            lines.append("and more threads")
            break
        lines.append(f"thread {names.get(ident, ident)!r}")
        stack = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=_FRAMES, lookup_lines=False)
        lines += [f"    {each.filename}:{each.lineno} {each.name}" for each in stack]
    return "\n".join(lines) + "\n"


def _whole_lines(text: bytes, size: int) -> bytes:
    return text if len(text) <= size else text[: text.rfind(b"\n", 0, max(size, 0)) + 1]


_MARK = "__manometer_reported__"
"""The attribute of an exception that has the reports in which it is told."""
_installed: list[LastReport] = []
