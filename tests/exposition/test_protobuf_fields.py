"""Fields are written as the protobuf package writes them."""

from hypothesis import example, given
from hypothesis import strategies as st

from manometer.exposition.protobuf import fields

UNSIGNED = st.integers(0, 2**64 - 1)
SIGNED = st.integers(-(2**63), 2**63 - 1)


@given(UNSIGNED)
@example(2**7 - 1)
@example(2**7)
@example(2**14 - 1)
@example(2**14)
@example(2**21 - 1)
@example(2**21)
def test_unsigned_numbers(messages, value):
    """A varint, of one byte to ten."""
    assert fields.uint(1, value) == messages["Bucket"](cumulative_count=value).SerializeToString()


@given(SIGNED)
def test_a_negative_number_that_is_no_zigzag_takes_ten_bytes(messages, value):
    """Such as a time before 1970."""
    assert fields.uint(6, value) == messages["Metric"](timestamp_ms=value).SerializeToString()


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_numbers(messages, value):
    """Zigzag: small ones of either sign are short."""
    assert fields.sint(1, value) == messages["BucketSpan"](offset=value).SerializeToString()


@given(st.lists(SIGNED | st.integers(-70, 70)))
@example(list(range(-70, 70)))
def test_packed_numbers(messages, values):
    """A reader finds them whether it expects them packed or not."""
    packed = fields.packed_sints(13, values)
    assert list(messages["Histogram"].FromString(packed).positive_delta) == values
    assert bool(packed) == bool(values)


@given(st.floats())
def test_doubles(messages, value):
    """Bit by bit, NaN and infinities too."""
    assert fields.double(1, value) == messages["Gauge"](value=value).SerializeToString()


@given(st.text(max_size=300))
def test_text(messages, value):
    """UTF-8 behind its length in bytes."""
    assert fields.text(2, value) == messages["LabelPair"](value=value).SerializeToString()


@given(st.text(max_size=300))
def test_a_message_within_another(messages, value):
    """Behind its length, under a field number that takes two bytes."""
    inner = messages["Exemplar"](label=[messages["LabelPair"](name=value)])
    assert (
        fields.message(16, inner.SerializeToString()) == messages["Histogram"](exemplars=[inner]).SerializeToString()
    )
