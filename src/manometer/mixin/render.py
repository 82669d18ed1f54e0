"""Rendering: the files that the mixin consists of, written, or compared with those that are there."""

from collections.abc import Mapping
from pathlib import Path

from manometer.errors import ConfigError
from manometer.mixin import dashboards, rules, yaml
from manometer.mixin.thresholds import Thresholds, parse

__all__ = ["configuration", "files", "stale", "write"]

_HEADER = "# Generated, do not edit: make mixin\n"


def configuration(path: Path | None) -> Thresholds:
    """The thresholds of a YAML file over the defaults, or the defaults; ConfigError names what is wrong."""
    return Thresholds() if path is None else parse(yaml.read(path))


def files(config: Thresholds, root: Path) -> Mapping[str, str]:
    """Every file's text by its path under `root`.

    Where `root` has runbooks, each alert must have its page there.
    """
    runbooks = root / "docs" / "runbooks"
    pages = {page.stem for page in runbooks.glob("*.md")} if runbooks.is_dir() else None
    made = {f"dashboards/{name}.json": text for name, text in dashboards.files(config).items()}
    for name, content in rules.files(config, pages).items():
        made[f"alert_rules/{name}.yaml"] = _HEADER + yaml.dump(content)
    return made


def write(config: Thresholds, root: Path) -> list[Path]:
    """Write every file, in the place of what was there; the paths that were written."""
    written = []
    for name, text in files(config, root).items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
        written.append(path)
    return written


def stale(config: Thresholds, root: Path) -> list[str]:
    """What is not as it would be written: files that differ, are missing, or would not be there."""
    expected = files(config, root)
    found = {
        str(path.relative_to(root)): path
        for folder, ending in (("dashboards", "json"), ("alert_rules", "yaml"))
        for path in (root / folder).glob(f"*.{ending}")
    }
    complaints = [f"{name} is generated no longer; delete it" for name in sorted(found.keys() - expected.keys())]
    for name, text in expected.items():
        if name not in found:
            complaints.append(f"{name} is missing")
        elif found[name].read_text(encoding="utf-8") != text:
            complaints.append(f"{name} differs from what would be written")
    return complaints
