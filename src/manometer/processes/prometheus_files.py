"""prometheus-client's own multiprocess files, for programs that have not moved every metric over."""

from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client.multiprocess import MultiProcessCollector

from manometer.meters.family import Family
from manometer.processes.file_head import UnreadableError
from manometer.processes.snapshot import shared
from manometer.processes.trust import regular

__all__ = ["families_of_files"]

_KINDS = ("counter", "gauge", "histogram", "summary")


def families_of_files(directories: Iterable[Path], unreadable: Callable[[Path, Exception], None]) -> list[Family]:
    """The families of all processes in these directories, merged as prometheus-client does."""
    found = [path for directory in directories for kind in _KINDS for path in directory.glob(f"{kind}_*.db")]
    paths = sorted(path for path in found if _is_believed(path, unreadable))
    try:
        merged = _merge(paths)
    except Exception:  # of whatever class a damaged file leads it to
        merged = _merge([path for path in paths if _makes_sense(path, unreadable)])
    return merged


def _is_believed(path: Path, unreadable: Callable[[Path, Exception], None]) -> bool:
    """Whether it is not of another user, nor of another kind, such as a FIFO, which the merge would wait for."""
    try:
        regular(path).close()
    except UnreadableError as error:
        unreadable(path, error)
        return False
    except OSError:  # which the merge meets too
        pass
    return True


def _merge(paths: Iterable[Path]) -> list[Family]:
    merged = MultiProcessCollector.merge(map(str, paths))  # type: ignore[no-untyped-call]
    # All are merged already: no series of a gauge comes twice, so the sum of one is its value.
    return [shared(metric, "sum", 0.0) for metric in merged]


def _makes_sense(path: Path, unreadable: Callable[[Path, Exception], None]) -> bool:
    try:
        _merge([path])
    except FileNotFoundError:
        return False
    except Exception as error:
        unreadable(path, error)
        return False
    return True
