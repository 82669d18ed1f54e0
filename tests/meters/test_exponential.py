"""Exponential buckets hold what exact arithmetic puts in them, and merge without losing any."""

import math
import sys
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manometer.errors import MetricError
from manometer.meters.exponential import ExponentialBuckets

SCHEMAS = range(-4, 9)
LARGEST = sys.float_info.max
THRESHOLD = 2.0**-128
POSITIVE = st.floats(min_value=THRESHOLD, exclude_min=True, allow_infinity=False)
ANY = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)


def at_most_bound(amount, index, schema):
    """Whether amount <= (2**2**-schema)**index, in whole numbers alone."""
    if schema <= 0:
        return Fraction(amount) <= Fraction(2) ** (index << -schema)
    numerator, denominator = amount.as_integer_ratio()  # amount**(2**schema) <= 2**index
    power = 1 << schema
    return numerator**power << max(-index, 0) <= denominator**power << max(index, 0)


def bucket_of(amount, schema):
    """The one bucket that a value falls in."""
    buckets = ExponentialBuckets(schema)
    buckets.fold([amount])
    ((index, count),) = buckets.positive.items()
    assert count == 1
    return index


def decoded(spans, deltas):
    """Counts by bucket, as a reader of spans and deltas finds them."""
    counts, index, count, left = {}, 0, 0, iter(deltas)
    for offset, length in spans:
        index += offset
        for _ in range(length):
            count += next(left)
            counts[index] = count
            index += 1
    assert next(left, None) is None
    return {index: count for index, count in counts.items() if count}


@given(POSITIVE, st.sampled_from(SCHEMAS))
@example(LARGEST, 8)
@example(LARGEST, -4)
@example(1.0, 0)
@example(2.0**16, -4)
@example(math.nextafter(2.0**16, math.inf), -4)
@example(math.nextafter(1.0, math.inf), 8)
def test_a_value_is_where_exact_arithmetic_puts_it(amount, schema):
    """Over the bound below, and at most the bound above."""
    index = bucket_of(amount, schema)
    assert at_most_bound(amount, index, schema)
    assert not at_most_bound(amount, index - 1, schema)


@given(st.integers(-100, 900), st.integers(0, 255), st.integers(1, 8))
def test_the_floats_around_a_bound_are_on_their_sides_of_it(octave, step, schema):
    """The last float below an irrational bound, and the first above it, are in neighbouring buckets."""
    step %= 1 << schema
    index = (octave << schema) + step
    around = 2.0 ** (octave + step / (1 << schema))
    for amount in (math.nextafter(around, 0), around, math.nextafter(around, math.inf)):
        assert bucket_of(amount, schema) == index + (not at_most_bound(amount, index, schema))


@given(st.lists(ANY, max_size=300), st.sampled_from(SCHEMAS))
def test_a_batch_is_counted_as_its_values_one_by_one(amounts, schema):
    """However the values come, each is counted once, by its sign."""
    whole, single = ExponentialBuckets(schema, 10_000), ExponentialBuckets(schema, 10_000)
    whole.fold(amounts[:])
    for amount in amounts:
        single.fold([amount])
    assert (whole.positive, whole.negative) == (single.positive, single.negative)
    assert whole.zero_count == single.zero_count == sum(abs(amount) <= THRESHOLD for amount in amounts)
    assert whole.count == single.count == len(amounts)
    assert sum(whole.positive.values()) == sum(amount > THRESHOLD for amount in amounts)
    assert sum(whole.negative.values()) == sum(amount < -THRESHOLD for amount in amounts)


@given(st.lists(ANY, max_size=300), st.sampled_from(SCHEMAS), st.integers(1, 200))
def test_merging_leaves_what_a_coarser_schema_would_have_counted(amounts, schema, limit):
    """A full series is as if it had been made with the schema that it came down to."""
    merged = ExponentialBuckets(schema, limit)
    for start in range(0, len(amounts), 7):
        merged.fold(amounts[start : start + 7])
    assert merged.schema == -4 or len(merged.positive) + len(merged.negative) <= limit
    coarse = ExponentialBuckets(merged.schema, 10_000)
    coarse.fold(amounts)
    assert (merged.positive, merged.negative) == (coarse.positive, coarse.negative)


@given(st.lists(ANY, max_size=100), st.sampled_from(SCHEMAS))
def test_spans_and_deltas_tell_the_counts(amounts, schema):
    """What a reader decodes is what was counted, no run starts where another could go on, and no count is lost."""
    buckets = ExponentialBuckets(schema)
    buckets.fold(amounts)
    found = buckets.histogram(1.5)
    assert decoded(found.pos_spans, found.pos_deltas) == buckets.positive
    assert decoded(found.neg_spans, found.neg_deltas) == buckets.negative
    assert all(span.offset > 2 for spans in (found.pos_spans, found.neg_spans) for span in spans[1:])
    assert (found.count_value, found.sum_value, found.schema) == (len(amounts), 1.5, buckets.schema)
    assert (found.zero_threshold, found.zero_count) == (THRESHOLD, buckets.zero_count)


def test_a_small_gap_is_written_out_and_a_large_one_skipped():
    """Buckets 0, 1, 4 and 8 of schema 0: two empty ones cost less than a new span, three do not."""
    buckets = ExponentialBuckets(0)
    buckets.fold([1, 1, 1, 2, 16, 200])
    found = buckets.histogram(0)
    assert found.pos_spans == [(0, 5), (3, 1)]
    assert found.pos_deltas == [3, -2, -1, 0, 1, 0]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_infinities_are_in_the_bucket_after_the_last(schema):
    """By the specification: one past the bucket of the largest float, on both sides, at any resolution."""
    buckets = ExponentialBuckets(schema)
    buckets.fold([math.inf, LARGEST, -math.inf, -LARGEST, math.nan])
    last = bucket_of(LARGEST, schema)
    assert last == math.ceil(1024 * 2.0**schema)
    assert buckets.positive == buckets.negative == {last: 1, last + 1: 1}
    assert (buckets.zero_count, buckets.count) == (0, 5)


def test_the_zero_bucket_takes_its_threshold_and_no_more():
    """Both ends belong to it."""
    buckets = ExponentialBuckets(3)
    over = math.nextafter(THRESHOLD, 1)
    buckets.fold([0.0, -0.0, THRESHOLD, -THRESHOLD, 5e-324, over, -over])
    assert buckets.zero_count == 5
    assert sum(Counter(buckets.positive).values()) == sum(Counter(buckets.negative).values()) == 1


@pytest.mark.parametrize("schema", [-5, 9, 1.5, "3"])
def test_a_schema_that_prometheus_does_not_know_is_refused(schema):
    """The message says what there is."""
    with pytest.raises(MetricError, match="from -4 \\(coarse\\) to 8 \\(fine\\)"):
        ExponentialBuckets(schema)


def test_a_limit_below_one_is_refused():
    """There is no histogram of no bucket."""
    with pytest.raises(MetricError, match="over 0"):
        ExponentialBuckets(3, 0)
