"""Prometheus's names and labels are derived from the catalogue's, and typed nowhere in the program."""

import ast
from pathlib import Path

import pytest

import manometer
from manometer.catalogue import SUBJECTS

FOLDER = Path(manometer.__file__).parent
SOURCES = sorted(path for path in FOLDER.rglob("*.py") if path.relative_to(FOLDER).parts[0] != "testing")
"""All but the contracts that adapters are tested with: these compare names as a scraper reads them."""

ROWS = [row for rows in SUBJECTS.values() for row in rows]
NAMES = {name for row in ROWS for name in (row.prometheus_name, row.family_name)}
LABELS = {label for row in ROWS for label in row.labels if "_" in label}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_text_of_the_program_is_a_name_or_label_of_prometheus(path):
    """A renamed metric is renamed in the catalogue alone."""
    tree = ast.parse(path.read_text())
    exported = {id(each) for node in tree.body if _exports(node) for each in ast.walk(node)}
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exported
    }
    assert not texts & (NAMES | LABELS)


def _exports(node):
    """Whether a statement lists what a module exports, by the names that Python has for them."""
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return any(getattr(each, "id", "") in ("__all__", "_HOMES") for each in targets)
