"""Exponential buckets hold what exact arithmetic puts in them, and merge without losing any."""

import math
import random
import sys
from collections import Counter
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram

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
@example([1.0, LARGEST], 8, 1)
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


# --- several together


def folded(schema, limit, amounts):
    """Buckets of these amounts."""
    buckets = ExponentialBuckets(schema, limit)
    for start in range(0, len(amounts), 7):
        buckets.fold(amounts[start : start + 7])
    return buckets


@given(st.lists(st.lists(ANY, max_size=80), min_size=1, max_size=5), st.sampled_from(SCHEMAS), st.integers(1, 60))
def test_together_they_are_what_one_would_have_counted(parts, schema, limit):
    """Each at the schema that it came down to: the whole is at the very one that all events lead to."""
    found = ExponentialBuckets.added_up([folded(schema, limit, part).histogram(0) for part in parts], limit)
    assert found.histogram(0) == folded(schema, limit, [*chain(*parts)]).histogram(0)


@given(st.lists(ANY, max_size=60), st.lists(ANY, max_size=60), st.sampled_from(SCHEMAS), st.sampled_from(SCHEMAS))
def test_the_coarser_schema_is_that_of_both(some, others, one, other):
    """Finer buckets are merged, as if they had been counted so."""
    both = [folded(one, 10_000, some).histogram(0), folded(other, 10_000, others).histogram(0)]
    coarse = folded(min(one, other), 10_000, some + others)
    assert ExponentialBuckets.added_up(both, 10_000).histogram(0) == coarse.histogram(0)


def native(threshold, zeros, start, *counts, schema=0):
    """A histogram of these positive buckets in a row."""
    deltas = [count - before for before, count in zip((0, *counts), counts, strict=False)]
    spans = [BucketSpan(start, len(counts))]
    return NativeHistogram(zeros + sum(counts), 0.0, schema, threshold, zeros, spans, [], deltas, [], [])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # bucket 1 is (1, 2], 2 is (2, 4], 3 is (4, 8]
        (native(2.0, 5, 2, 7), native(0.5, 1, 1, 3, 2), native(2.0, 9, 2, 9)),
        (native(3.0, 5, 3, 7), native(0.5, 1, 1, 3, 2), native(4.0, 11, 3, 7)),
        (native(3.0, 5, 3, 7), native(0.5, 1, 1, 3, 0, 1), native(3.0, 9, 3, 8)),
        (native(0.0, 5, -3, 7), native(0.0, 1, -3, 1), native(0.0, 6, -3, 8)),
        (native(0.5, 5, 0, 7), native(0.25, 1, -1, 1, 1), native(0.5, 7, 0, 8)),
        # Two buckets of schema 1 become (2, 4], into which the zero bucket reaches.
        (native(3.0, 5, 4, 7, schema=1), native(1.0, 1, 3, 1), native(4.0, 13, 3, 1)),
    ],
    ids=["to a bound", "into a bucket", "into an empty bucket", "none", "below one", "after merging"],
)
def test_the_wider_zero_bucket_is_that_of_both(one, other, expected):
    """It takes in the buckets that it covers, and widens to the end of one that it would cut."""
    for parts in ((one, other), (other, one)):
        found = ExponentialBuckets.added_up(parts).histogram(0.0)
        assert (found.zero_threshold, found.zero_count) == (expected.zero_threshold, expected.zero_count)
        assert decoded(found.pos_spans, found.pos_deltas) == decoded(expected.pos_spans, expected.pos_deltas)
        assert found.count_value == one.count_value + other.count_value


def test_a_limit_that_merges_a_bucket_into_the_zero_bucket_widens_it():
    """Of (1, 1.4] and (1.4, 2] only the second is filled; merged they reach into a zero bucket that ends at 1.4."""
    found = ExponentialBuckets.added_up([native(math.nextafter(2**0.5, 0), 5, 2, 1, 1, schema=1)], 1)
    assert (found.schema, found.zero_threshold, found.zero_count, found.positive) == (0, 2.0, 6, {2: 1})


@pytest.mark.parametrize(
    "nonsense", [native(0.0, 0, 1, 1, schema=-53), native(0.0, 0, 1, 1)._replace(pos_deltas=[1, 1])]
)
def test_what_makes_no_sense_is_refused(nonsense):
    """A schema of another kind of buckets, or more counts than buckets."""
    with pytest.raises(ValueError, match=r"-53|longer"):
        ExponentialBuckets.added_up([nonsense])


def test_the_latest_exemplars_of_all_are_kept():
    """As one would have kept them: the last one of each power of two, and of those the ten that came last."""
    chance = random.Random(7)
    parts, whole = [ExponentialBuckets(3) for _ in range(3)], ExponentialBuckets(3)
    for second in range(200):
        exemplar = Exemplar({"trace_id": str(second)}, 2.0 ** chance.randint(0, 15), float(second))
        chance.choice(parts).keep(exemplar)
        whole.keep(exemplar)
    found = ExponentialBuckets.added_up([part.histogram(0) for part in parts])
    assert found.histogram(0).nh_exemplars == whole.histogram(0).nh_exemplars
