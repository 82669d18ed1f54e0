"""The runbooks: a page an alert, each with what one needs at three in the morning."""

import re
from pathlib import Path

import pytest

from manometer.catalogue import SUBJECTS
from manometer.mixin.rules import alerts
from manometer.mixin.thresholds import Thresholds

FOLDER = Path(__file__).parents[2] / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("*.md"))


def test_pages_and_alerts_are_the_same(services):
    """No alert without a page, no page whose alert is gone."""
    assert {page.stem for page in PAGES} == {alert.name for alert in alerts(Thresholds(), services)}


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
        selectors = promql.selectors(query)
        assert {name for name, _ in selectors} <= known_names
        labels = {label for name, _ in selectors for label in labels_of(name)}
        assert {label for _, matchers in selectors for label in matchers} <= labels
        assert {label for kept in promql.aggregated(query) for label in kept} <= labels
        assert {label for told in promql.matched(query) for label in told} <= labels


def labels_of(name):
    """The labels that a series has: Prometheus's own, and those of its metric, or of its level."""
    metric = name.split(":")[1] if ":" in name else re.sub(r"_(bucket|count|sum)$", "", name)
    rows = [row for rows in SUBJECTS.values() for row in rows if metric in (row.prometheus_name, row.family_name)]
    return {
        "job",
        "instance",
        "severity",
        "alertname",
        "alertstate",
        "le",
        *(label for row in rows for label in row.labels),
    }
