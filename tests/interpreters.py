"""The Pythons that the unit tests run on: python tests/interpreters.py [python3.12]

Without an argument: the names of those found, on the path and among pyenv's, from the oldest that pyproject.toml
allows. With a name: where that Python is. Of a minor version it takes the newest, and no pre-release.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

_ASK = "import ensurepip, sys, venv; print(*sys.version_info[:3], sys.version_info.releaselevel, sys.executable)"


def main() -> None:
    """Print the names, or the place of one."""
    found = interpreters()
    if len(sys.argv) == 1:
        sys.stdout.write("".join(f"{name}\n" for name in found))
    elif sys.argv[1] in found:
        sys.stdout.write(f"{found[sys.argv[1]]}\n")
    else:
        sys.exit(f"tests/interpreters.py: there is no {sys.argv[1]} here; there are {', '.join(found)}")


def interpreters() -> dict[str, str]:
    """The executables by name, such as `python3.11`, in the order of their versions."""
    newest: dict[tuple[int, int], tuple[int, str]] = {}
    for program in candidates():
        told = answer(program)
        if told is not None:
            version, executable = told
            if version[:2] >= oldest() and version[2] > newest.get(version[:2], (-1, ""))[0]:
                newest[version[:2]] = version[2], executable
    return {f"python{major}.{minor}": newest[major, minor][1] for major, minor in sorted(newest)}


def candidates() -> list[Path]:
    """Programs named as a Python of some version."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("versions/*/bin"))]
    found = [each for folder in folders for each in sorted(folder.glob("python3.*"))]
    return [each for each in found if re.search(r"n3\.\d+$", each.name)]


def answer(program: Path) -> tuple[tuple[int, int, int], str] | None:
    """The version and place that a Python tells of itself; None for one that makes no virtual environments."""
    try:
        done = subprocess.run([program, "-c", _ASK], check=False, capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    told = done.stdout.split(maxsplit=4)
    if done.returncode != 0 or told[3] != "final":
        return None
    return (int(told[0]), int(told[1]), int(told[2])), told[4].strip()


def oldest() -> tuple[int, int]:
    """The oldest Python that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"]).groups()
    return int(major), int(minor)


if __name__ == "__main__":
    main()
