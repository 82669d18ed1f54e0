"""The runbooks: a page an alert, each with what one needs at three in the morning."""

import re
from pathlib import Path

import pytest

from manometer.mixin.rules import alerts
from manometer.mixin.thresholds import Thresholds

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("*.md"))


def test_pages_and_alerts_are_the_same():
    """No alert without a page, no page whose alert is gone."""
    assert {page.stem for page in PAGES} == {alert.name for alert in alerts(Thresholds())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_it_means_and_what_to_do(page):
    """The same four parts everywhere, none empty."""
    title, *parts = re.split(r"^#+ ", page.read_text(), flags=re.MULTILINE)[1:]
    assert title.strip() == page.stem
    assert [part.split("\n")[0] for part in parts] == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert all(part.split("\n", 1)[1].strip() for part in parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_queries_of_a_page_can_be_run(page, promql, known_names):
    """They parse and read metrics that there are."""
    queries = [
        query
        for block in re.findall(r"```promql\n(.*?)```", page.read_text(), flags=re.DOTALL)
        for query in block.strip().split("\n\n")
    ]
    assert queries
    for query in queries:
        assert {name for name, _ in promql.selectors(query)} <= known_names
