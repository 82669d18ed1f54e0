"""The files of the mixin in a folder: written, or compared with those that are there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from manometer.errors import ConfigError
from manometer.mixin.shipped import runbooks

__all__ = ["stale", "write"]


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
    kinds = {(path.parent, path.suffix) for path in map(PurePath, files)}
    with _telling(root, "read"):
        found = {
            str(path.relative_to(root)): path
            for folder, ending in kinds
            for path in (root / folder).glob(f"*{ending}")
            if folder.name or str(path.relative_to(root)) in files  # the top has files of others
        }
    complaints = [f"{name} is generated no longer; delete it" for name in sorted(found.keys() - files.keys())]
    for name, text in files.items():
        if name not in found:
            complaints.append(f"{name} is missing")
        elif _read(found[name]) != text:
            complaints.append(f"{name} differs from what would be written")
    return complaints + [f"{name} is missing" for name in _missing_runbooks(root)]


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
