"""What makers of adapters and writers of tests get, and what docs/adapters.md tells them."""

import re
from pathlib import Path

import pytest

import manometer.adapter
import manometer.testing
from manometer.testing import Figures

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text()
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


def test_the_example_of_a_program_s_test_runs():
    """As it stands on the page."""
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "ManualClock()" in block)
    exec(compile(example, "docs/adapters.md", "exec"), {})


def test_the_adapter_without_a_declaration_runs():
    """As it stands on the page, given a breaker that can refuse."""
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def breaker" in block)
    module = {}
    exec(compile(example, "docs/adapters.md", "exec"), module)

    class Breaker:
        def refuse(self):
            return "refused"

    figures = Figures()
    subject = manometer.instrumentation.subject.Subject.on(figures.registry, "resilience")
    bind = manometer.adapter.Bind(subject, {"breaker.name": "b"})
    made = module["breaker"](Breaker(), bind)
    assert made.refuse() == "refused"
    assert figures("breaker_calls_total", breaker_name="b", breaker_call_outcome="rejected") == 1
    manometer.adapter.Binding.of(made).close()
    assert type(made) is Breaker
