"""What the README says can be done works, and what it points to is there."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ports import reserved_port
from waiting import DEADLINE, until

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_python_blocks_run(block):
    """Each block runs as it stands, in a program of its own, and serves its figures until Enter ends it."""
    with (
        reserved_port() as port,
        subprocess.Popen(
            [sys.executable, "-c", block],
            env=os.environ | {"MANOMETER_PORT": str(port)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        try:
            figures = until(lambda: program.poll() is not None or _page(f"http://127.0.0.1:{port}/metrics"))
            assert figures is not True, program.stderr.read()
            assert 'cache_entry_limit{cache_name="prices"} 15000.0' in figures
            _, errors = program.communicate("\n", timeout=DEADLINE)
        finally:
            program.kill()
    assert (program.returncode, errors) == (0, "")


def test_the_program_of_the_health_page_runs(tmp_path):
    """The first block, as it stands: it is not ready, then well, and ends with Enter."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "health.md").read_text(), re.DOTALL).group(1)
    with (
        reserved_port() as port,
        subprocess.Popen(
            [sys.executable, "-c", block],
            env=os.environ | {"MANOMETER_PORT": str(port)},
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
    ):
        try:
            ready = until(lambda: program.poll() is not None or _page(f"http://127.0.0.1:{port}/readyz"))
            assert ready == "ready\n", program.stderr.read()
            document = json.loads(_page(f"http://127.0.0.1:{port}/health"))
            _, errors = program.communicate("\n", timeout=DEADLINE)
        finally:
            program.kill()
    assert (program.returncode, errors) == (0, "")
    assert [*document["checks"]] == ["database:responseTime", "memory:utilization", "jobs:backlog"]
    assert document["checks"]["jobs:backlog"][0]["observedValue"] == 3


def _page(url):
    """What is there, or None while nobody serves."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.read().decode()
    except urllib.error.URLError:
        return None


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


def test_the_picture_can_be_drawn(tmp_path):
    """From a run of the engine: with a row of each kind, and nothing that a reader would have to fetch."""
    script = "import sys, live_table; live_table.draw(live_table.Path(sys.argv[1]), seconds=2)"
    command = [sys.executable, "-c", script, str(tmp_path / "it.svg")]
    environ = os.environ | {"PYTHONPATH": str(ROOT / "docs")}
    subprocess.run(command, env=environ, check=True, timeout=DEADLINE, capture_output=True)
    for picture in (tmp_path / "it.svg", ROOT / "docs" / "live-table.svg"):
        drawn = picture.read_text()
        assert all(
            each in drawn for each in ("protocol/workflow", "week_classes", "broker&#160;(connection)", "approvals")
        )
        assert "url(" not in drawn.replace("url(#", "")


def test_every_public_name_of_the_table_exists():
    """What the README tells to write can be imported."""
    import manometer

    named = set(re.findall(r"`[^`]*?\b(instrument_\w+|stage|check|wsgi_app|asgi_app)\(", README))
    assert named
    assert all(hasattr(manometer, name) for name in named)


def test_the_readme_leads_to_every_page():
    """A page of docs/ that nothing leads to is not found; the runbooks are found by their folder."""
    linked = set(re.findall(r"\]\(([^)#]+)", README))
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}
    assert pages <= linked
    assert "docs/runbooks/" in linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_of_the_pages_is_python(page):
    """Each block of code can be compiled; those of the README run, see above."""
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_a_heading_find_it(page):
    """What follows `#` is a heading of the page, as GitHub and others spell it."""
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (page.parent / target if target else page).read_text(), re.MULTILINE)
        spelled = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
        assert heading in spelled, f"{page.name}: {target}#{heading}"
