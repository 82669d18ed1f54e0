"""No module imports another that imports it in turn, not even within a function or for a type checker alone."""

import ast
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "src"
FACADE = "manometer"
"""The package itself, which has every public name on demand; nothing in it imports from there."""


def _modules():
    """Every module with its file."""
    for path in sorted(SOURCES.rglob("*.py")):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imported(tree, known):
    """What a module imports of ours, wherever it does."""
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            yield from {alias.name for alias in each.names} & known
        if isinstance(each, ast.ImportFrom) and each.module is not None:
            names = {f"{each.module}.{alias.name}" for alias in each.names}
            yield from names & known or {each.module} & known


def _graph():
    files = dict(_modules())
    return {name: set(_imported(ast.parse(path.read_text()), files.keys())) for name, path in files.items()}


def _circle(graph):
    """A circle of the graph, or nothing."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return None
        path.append(name)
        for each in sorted(graph[name]):
            if found := visit(each):
                return found
        path.pop()
        done.add(name)
        return None

    return next((found for name in graph if (found := visit(name))), None)


def test_there_is_no_circle_of_imports():
    """Whatever hides one counts as one."""
    assert _circle(_graph()) is None


def test_a_circle_would_be_found():
    """So that the test above means something."""
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_nothing_within_the_kit_imports_from_its_facade():
    """It would load a part by way of the whole."""
    within = {name for name, imported in _graph().items() if FACADE in imported}
    assert not [name for name in within if name.startswith(f"{FACADE}.")]
