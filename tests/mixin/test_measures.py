"""The measures that promises are of: their queries read what the catalogue has."""

import re

import pytest

from manometer.catalogue import SUBJECTS, label
from manometer.mixin.measures import MEASURES, peak

OF_PROMETHEUS = {"up", "scrape_samples_scraped"}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_reads_known_names_by_all_that_it_is_told_apart_by(name, promql, known_names):
    """Each label of the measure narrows every selector of its query."""
    measure = MEASURES[name]
    query = measure.query(dict.fromkeys(measure.of, "worker"), "2m")  # a kind of pool, and any other's name
    for selector, matchers in promql.selectors(query):
        assert selector in known_names | OF_PROMETHEUS
        assert {label(each) for each in measure.of} <= set(matchers)
    assert "[2m]" in query


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_says_its_unit_and_what_it_is(name):
    """The unit is the catalogue's, and the name ends in it as Prometheus has it."""
    measure = MEASURES[name]
    assert re.fullmatch(r"s|By|1|\{[a-z]+\}", measure.unit)
    assert name.endswith("_seconds") == (measure.unit == "s")
    assert name.endswith("_bytes") == (measure.unit == "By")
    assert measure.help


def test_the_metrics_of_a_measure_have_its_labels():
    """Else a matcher of one would match nothing."""
    for measure in MEASURES.values():
        ours = {each for each in measure.of if "." in each}
        assert any(ours <= set(row.attributes) for rows in SUBJECTS.values() for row in rows)


def test_a_peak_looks_back_at_what_an_expression_was(promql):
    """It parses, over any expression."""
    query = peak(MEASURES["stage_error_ratio"].query({}, "1m"), "10m")
    assert query.endswith("[10m:5s])")
    assert "max_over_time" in promql.functions(query)
