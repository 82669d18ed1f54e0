"""What the README says can be done works, and what it points to is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import DEADLINE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_blocks_run(block):
    """Each block runs as it stands, in a program of its own, and serves its figures."""
    script = f"{block}\nimport urllib.request\nfrom manometer import app\n"
    script += "print([m for m in __import__('gc').get_objects() if isinstance(m, app.Manometer)][0].url)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"MANOMETER_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stderr == ""


def test_make_targets_exist():
    """Every `make` command that a page names is a target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:`| {4})make ([a-z]+)", page.read_text()))
        assert named <= targets, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page):
    """Every link to a place in the repository leads somewhere."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_public_name_of_the_table_exists():
    """What the README tells to write can be imported."""
    import manometer

    named = set(re.findall(r"`[^`]*?\b(instrument_\w+|stage|check|wsgi_app|asgi_app)\(", README))
    assert named
    assert all(hasattr(manometer, name) for name in named)
