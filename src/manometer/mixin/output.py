"""The files of the mixin in a folder: written, or compared with those that are there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from manometer.errors import ConfigError
from manometer.mixin.shipped import runbooks

__all__ = ["left_over", "stale", "write"]

_SOMETIMES = (
    "alertmanager/inhibit_rules.yaml",
    "operator/scrapes/pod-monitor.yaml",
    "operator/scrapes/service-monitor.yaml",
)
"""Generated only where a service is given, or a job named: their folders may have nothing else of the mixin."""

_GENERATED = "# Generated, do not edit: manometer mixin"


def write(files: Mapping[str, str], root: Path) -> list[Path]:
    """Write every file in the place of what was there, and each runbook that is missing; the paths that were written.

    files: the text by the path under `root`. A runbook that is there belongs to whoever keeps the folder.
    """
    written = []
    for name, text in {**files, **_missing_runbooks(root)}.items():
        path = root / name
        with _telling(path, "written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def stale(files: Mapping[str, str], root: Path) -> list[str]:
    """What is not as it would be written: files that differ, are missing, or would not be there."""
    complaints = left_over(files, root)
    found = _found(files, root)
    for name, text in files.items():
        if name not in found:
            complaints.append(f"{name} is missing")
        elif _read(found[name]) != text:
            complaints.append(f"{name} differs from what would be written")
    return complaints + [f"{name} is missing" for name in _missing_runbooks(root)]


def left_over(files: Mapping[str, str], root: Path) -> list[str]:
    """What stands beside the files and would not be written: Prometheus and Alertmanager may go on loading it."""
    names = _found(files, root).keys() - files.keys()
    folders = {"alertmanager", *(PurePath(name).parts[0] for name in files)}  # another format's are not of this run
    may_be = {name for name in _SOMETIMES if PurePath(name).parts[0] in folders} - files.keys()
    names |= {name for name in may_be if _is_generated(root / name)}
    return [f"{name} is generated no longer; delete it" for name in sorted(names)]


def _found(files: Mapping[str, str], root: Path) -> dict[str, Path]:
    """What is there of the kinds of the files, by the path under `root`."""
    kinds = {(path.parent, path.suffix) for path in map(PurePath, files)}
    with _telling(root, "read"):
        return {
            str(path.relative_to(root)): path
            for folder, ending in kinds
            for path in (root / folder).glob(f"*{ending}")
            if folder.name or str(path.relative_to(root)) in files  # the top has files of others
        }


def _is_generated(path: Path) -> bool:
    """Whether the mixin wrote it; the folder may hold a file of others by that name."""
    with _telling(path, "looked at"):
        return path.is_file() and _read(path).startswith(_GENERATED)


def _missing_runbooks(root: Path) -> dict[str, str]:
    """Text by path of those that are not in the folder."""
    missing = {}
    for name, text in runbooks().items():
        path = root / name
        with _telling(path, "looked at"):
            if not path.exists():
                missing[name] = text
    return missing


def _read(path: Path) -> str:
    with _telling(path, "read"):
        return path.read_text(encoding="utf-8", errors="replace")  # other bytes than ours differ in any case


@contextmanager
def _telling(path: Path, done: str) -> Iterator[None]:
    """ConfigError in the place of an OSError, as for a folder that its user may not enter."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be {done}: {error.strerror}") from error
