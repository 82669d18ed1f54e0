"""What `make mutants` tries is all of the code, and what it explains is there."""

import ast
import importlib.util
import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src/manometer"


def _runner():
    spec = importlib.util.spec_from_file_location("mutants_run", ROOT / "tests/mutants/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = _runner()


def _functions(path):
    """The names of what mutmut changes in a file: functions, and methods by their class."""
    parts = path.relative_to(SOURCES.parent).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for each in ast.parse(path.read_text()).body:
        if isinstance(each, kinds):
            yield f"{module}.{each.name}"
        if isinstance(each, ast.ClassDef):
            yield from (f"{module}.{each.name}.{method.name}" for method in each.body if isinstance(method, kinds))


def _code(subject):
    """The files of a subject, by patterns whose `*` goes below folders too, as mutmut's does."""
    for path in sorted(SOURCES.rglob("*.py")):
        name = str(path.relative_to(SOURCES))
        if any(fnmatch(name, each) for each in subject.code) and not any(
            fnmatch(name, each) for each in subject.without
        ):
            yield path


def test_each_file_with_code_belongs_to_one_subject():
    """A new one is not forgotten."""
    owners = Counter(path for subject in RUN.SUBJECTS.values() for path in _code(subject))
    with_code = [path for path in SOURCES.rglob("*.py") if [*_functions(path)]]
    assert [str(path) for path in with_code if owners[path] != 1] == []


@pytest.mark.parametrize("subject", RUN.SUBJECTS)
def test_the_tests_of_a_subject_are_there(subject):
    """A pattern that finds none would leave every mutant unnoticed."""
    assert [pattern for pattern in RUN.SUBJECTS[subject].tests if not [*ROOT.glob(pattern)]] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/mutants/explained").glob("*.toml")), ids=lambda path: path.stem
)
def test_what_is_explained_is_there(path):
    """An explanation goes with the function that it is about."""
    names = [name for file in _code(RUN.SUBJECTS[path.stem]) for name in _functions(file)]
    stale = [
        each.function
        for each in RUN.explanations(path.stem)
        if not any(re.fullmatch(each.function, name) for name in names)
    ]
    assert stale == []
