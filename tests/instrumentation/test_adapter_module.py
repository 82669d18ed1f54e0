"""What makers of adapters and writers of tests get, and what docs/adapters.md tells them."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import manometer.adapter
import manometer.testing
from manometer.instrumentation import cache, pool, queue, resilience

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text()
OURS = cache._OURS | pool._POOLS | pool._WORKERS | queue._OURS | resilience._RETRIES | resilience._BREAKERS
SAMPLE = Path(__file__).parent / "third_party" / "manometer_shelf" / "manometer_shelf.py"


@pytest.mark.parametrize("module", [manometer.adapter, manometer.testing])
def test_public_names_are_sorted_there_and_documented(module):
    """Each says in a docstring what it is for."""
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        found = getattr(module, name)
        assert not isinstance(found, type) or (vars(found).get("__doc__") or "").strip(), name


def test_the_sample_of_the_page_is_the_one_that_the_tests_install():
    """`make docs` after a change, and commit what it wrote. One file has less than 80 lines."""
    assert f"```python\n{SAMPLE.read_text()}```" in PAGE
    assert len(SAMPLE.read_text().splitlines()) < 80


@pytest.mark.parametrize("module", sorted({*OURS.values()}))
def test_each_library_of_ours_is_one_short_file(module):
    """What its adapter needs besides is of its kind of object, and so there for other libraries too."""
    source = Path(manometer.__file__).parents[1] / f"{module.replace('.', '/')}.py"
    assert len(source.read_text().splitlines()) < 80


def test_the_example_of_a_program_s_test_runs():
    """As it stands on the page."""
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "ManualClock()" in block)
    exec(compile(example, "docs/adapters.md", "exec"), {})


EXAMPLES = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "import shelf\nfrom" in block]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: re.findall(r"class (\w+)", each)[-1])
def test_the_contracts_of_the_page_are_kept(monkeypatch, example):
    """Each example, as it stands there, by the adapters that it declares or by those of the sample."""
    monkeypatch.syspath_prepend(SAMPLE.parents[1] / "shelf" / "src")
    brought = {}
    exec(SAMPLE.read_text(), brought)
    exec(compile(example, "docs/adapters.md", "exec"), brought)
    entry = SimpleNamespace(value="manometer_shelf", load=lambda: SimpleNamespace(**brought))
    monkeypatch.setattr("manometer.instrumentation.adapters._installed", lambda: {"shelf": [entry]})
    contract = next(each for name, each in brought.items() if name.startswith("Test"))
    for name in dir(contract):
        if name.startswith("test_"):
            getattr(contract(), name)()


def test_each_contract_has_its_example_or_a_docstring():
    """The page names all of them."""
    for name in manometer.testing.__all__:
        if name.endswith("Contract"):
            assert f"`{name}`" in PAGE or f"({name})" in PAGE, name
