"""The page on practices says only what runs."""

import re
import subprocess
import sys
from pathlib import Path

import promql_parser
import pytest
import yaml

from manometer.mixin.thresholds import Thresholds, parse
from waiting import DEADLINE

PAGE = (Path(__file__).parents[1] / "docs" / "practices.md").read_text()
SHOWN = """
import manometer, prometheus_client
for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
    print(manometer.render(prometheus_client.REGISTRY, accept)[0].decode())
"""


def blocks(language):
    """The blocks of code in this language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("code", "lines"), re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL))
def test_each_example_shows_what_stands_below_it(code, lines):
    """Each in a program of its own; what follows a line, such as the time of an exemplar, may differ."""
    done = subprocess.run(
        [sys.executable, "-c", code + SHOWN], check=False, capture_output=True, text=True, timeout=DEADLINE
    )
    assert (done.returncode, done.stderr) == (0, "")
    for line in lines.splitlines():
        assert f"\n{line}" in done.stdout


def test_each_example_has_its_lines():
    """And so none goes unchecked."""
    assert len(blocks("python")) == len(blocks("text")) == 4


@pytest.mark.parametrize("query", blocks("promql"))
def test_queries_parse(query):
    """As Prometheus would read them."""
    promql_parser.parse(query)


@pytest.mark.parametrize("configuration", blocks("yaml"))
def test_promises_can_be_kept(configuration):
    """The mixin takes them, and they are others than its defaults."""
    assert parse(yaml.safe_load(configuration)) != Thresholds()
