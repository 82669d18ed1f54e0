"""A family tells what was read, with samples or without."""

import pytest
from prometheus_client.samples import Sample

from manometer import Counter, Gauge, Histogram

PULLED = [Sample("m", {"l": "pulled"}, 7.0), Sample("m", {"l": "pulled too"}, 8.0)]


def meters(labels):
    """One of each kind, with two series where it has labels."""
    for kind in (Counter, Gauge, Histogram):
        meter = kind("m", "Help.", labels, registry=None)
        for value in ("x", "y") if labels else ():
            meter.labels(*[value] * len(labels))
        yield meter


@pytest.mark.parametrize("labels", [[], ["l"], ["l", "m"]])
@pytest.mark.parametrize("pulled", [[], PULLED])
def test_its_size_is_told_without_its_samples(labels, pulled):
    """And is the number of them; of a child that is read on its own, too."""
    for meter in meters(labels):
        for each in (meter, meter.labels(*"xy"[: len(labels)]) if labels else meter):
            family = each.family(pulled)
            size = family.size
            assert family.is_as_read
            assert (size, family.size) == (len(family.samples), len(family.samples))
            assert not family.is_as_read
            assert family.samples[len(family.samples) - len(pulled) :] == pulled


@pytest.mark.parametrize("pulled", [[], PULLED])
def test_a_family_without_series_has_what_was_pulled(pulled):
    """It may be nothing."""
    family = Gauge("m", "Help.", ["l"], registry=None).family(pulled)
    assert family.size == len(pulled)
    assert family.samples == pulled
    assert family.lasting == []


def test_samples_that_someone_puts_in_are_those_it_has():
    """Its size is theirs."""
    family = Gauge("m", "Help.", registry=None).family()
    family.samples = PULLED
    assert (family.samples, family.size, family.is_as_read) == (PULLED, 2, False)


def test_samples_are_made_once():
    """They are whoever's who has had them, to change."""
    family = Gauge("m", "Help.", registry=None).family()
    family.samples.append(PULLED[0])
    assert [sample.value for sample in family.samples] == [0.0, 7.0]
    assert family.size == 2
