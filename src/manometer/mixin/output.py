"""The files of the mixin in a folder: written, or compared with those that are there."""

from collections.abc import Mapping
from pathlib import Path

from manometer.errors import ConfigError
from manometer.mixin.shipped import runbooks

__all__ = ["stale", "write"]


def write(files: Mapping[str, str], root: Path) -> list[Path]:
    """Write every file in the place of what was there, and each runbook that is missing; the paths that were written.

    files: the text by the path under `root`. A runbook that is there belongs to whoever keeps the folder.
    """
    missing = {name: text for name, text in runbooks().items() if not (root / name).exists()}
    written = []
    for name, text in {**files, **missing}.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
        written.append(path)
    return written


def stale(files: Mapping[str, str], root: Path) -> list[str]:
    """What is not as it would be written: files that differ, are missing, or would not be there."""
    found = {
        str(path.relative_to(root)): path
        for folder, ending in (("dashboards", "json"), ("alert_rules", "yaml"))
        for path in (root / folder).glob(f"*.{ending}")
    }
    complaints = [f"{name} is generated no longer; delete it" for name in sorted(found.keys() - files.keys())]
    for name, text in files.items():
        if name not in found:
            complaints.append(f"{name} is missing")
        elif found[name].read_text(encoding="utf-8") != text:
            complaints.append(f"{name} differs from what would be written")
    return complaints + [f"{name} is missing" for name in runbooks() if not (root / name).exists()]
