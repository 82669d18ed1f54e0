"""The files that travel with the package: dashboards and rules at the default thresholds, and the runbooks."""

from collections.abc import Mapping
from pathlib import Path

from manometer.errors import ConfigError

__all__ = ["RUNBOOKS", "defaults", "runbooks"]

RUNBOOKS = "docs/runbooks"
"""Where the runbooks are written, from the folder that everything is written to."""

_PACKAGED = Path(__file__).parent / "data"
_CHECKOUT = Path(__file__).parents[3]


def defaults() -> Mapping[str, str]:
    """The text of each dashboard and rules file, by the path that it is written to."""
    return {
        f"{folder}/{path.name}": path.read_text(encoding="utf-8")
        for folder, ending in (("dashboards", "json"), ("alert_rules", "yaml"))
        for path in _found(folder, ending)
    }


def runbooks() -> Mapping[str, str]:
    """The text of each runbook, by the path that it is written to."""
    return {f"{RUNBOOKS}/{path.name}": path.read_text(encoding="utf-8") for path in _found(RUNBOOKS, "md")}


def _found(folder: str, ending: str) -> list[Path]:
    """The files of a folder in the wheel, or of the checkout that an editable install points to."""
    place = _PACKAGED / Path(folder).name if _PACKAGED.is_dir() else _CHECKOUT / folder
    found = sorted(place.glob(f"*.{ending}"))
    if not found:
        raise ConfigError(f"the package has no files in {place}; install manometer again")
    return found
