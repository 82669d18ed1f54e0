"""Names that a convention has are followed to the letter, and no other name pretends to be of one."""

import json
from pathlib import Path

import pytest

from manometer.catalogue import SUBJECTS, Convention

FACTS = json.loads((Path(__file__).parent / "semconv.json").read_text())
"""OpenTelemetry's semantic conventions: each metric's instrument, unit and attributes, and attributes' values."""

DOTNET = {
    "cache.requests": ("counter", "{request}", {"cache.name", "cache.request.type"}),
    "cache.evictions": ("counter", "{eviction}", {"cache.name"}),
    "cache.entries": ("updowncounter", "{entry}", {"cache.name"}),
}
"""Of the metrics of .NET 11's MemoryCache, those that a cache of any library has: dotnet/runtime#126146."""

LOADS = {f"system.cpu.load_average.{minutes}m": ("gauge", "{thread}", set()) for minutes in (1, 5, 15)}
"""Of the Collector's host metrics receiver, those that the conventions lack."""

ROWS = [row for rows in SUBJECTS.values() for row in rows]
CLAIMED = [row for row in ROWS if row.convention is Convention.SEMCONV]
OTHERS = [row for row in ROWS if row.convention is not Convention.SEMCONV]


def test_the_facts_are_of_the_version_that_rows_claim():
    """Facts of a later version come with a later claim."""
    assert Convention.SEMCONV.value.endswith(FACTS["source"].partition("latest tag v")[2].rstrip(")"))


def test_the_conventions_are_followed():
    """The rows that this file proves are there."""
    prefixes = {row.name.split(".")[0] for row in CLAIMED}
    assert prefixes == {"system", "container", "process", "cpython", "db"}


@pytest.mark.parametrize("row", CLAIMED, ids=lambda row: row.name)
def test_a_row_of_the_semantic_conventions_is_theirs_to_the_letter(row):
    """Name, instrument, unit, attributes; of the values of an attribute none that they do not have."""
    fact = FACTS["metrics"][row.name]
    assert (row.kind.value, row.unit, sorted(row.attributes)) == (
        fact["instrument"],
        fact["unit"],
        sorted(fact["attributes"]),
    )
    for attribute, values in row.values.items():
        assert set(values) <= set(map(str, FACTS["values"][attribute]))


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.name)
def test_a_row_of_our_own_takes_no_name_of_the_semantic_conventions(row):
    """Whoever uses one of their names follows them."""
    assert row.name not in FACTS["metrics"]
    if row.convention is None:
        assert row.name.split(".")[0] not in (
            "system",
            "container",
            "process",
            "cpython",
            "db",
            "http",
            "dotnet",
            "jvm",
        )


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row.name)
def test_an_attribute_that_the_conventions_have_means_the_same_here(row):
    """Its values are theirs."""
    for attribute in set(row.values) & set(FACTS["values"]):
        assert set(row.values[attribute]) <= set(map(str, FACTS["values"][attribute]))


@pytest.mark.parametrize(
    ("convention", "facts"), [(Convention.CACHES, DOTNET), (Convention.COLLECTOR, LOADS)], ids=["caches", "collector"]
)
def test_a_row_of_another_convention_is_theirs(convention, facts):
    """Name, instrument and unit, and at least their attributes: a sum over ours gives their figure."""
    rows = {row.name: row for row in ROWS if row.convention is convention}
    assert rows.keys() == facts.keys()
    for name, (instrument, unit, attributes) in facts.items():
        assert (rows[name].kind.value, rows[name].unit) == (instrument, unit)
        assert attributes <= set(rows[name].attributes)


def test_nothing_of_ours_is_named_as_a_namespace_is():
    """OpenTelemetry's rule: where there is `pool.resource.limit`, nothing is called `pool.resource`."""
    ours = {row.name for row in ROWS if row.convention is None}
    attributes = {attribute for row in ROWS for attribute in row.attributes}
    for names in (ours, attributes):
        assert not [(name, other) for name in names for other in names if other.startswith(f"{name}.")]
