"""Reads an exposition with the protobuf package, by a description of the messages made here: fixtures to import."""

import io

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

_TYPES = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "sint32": FieldDescriptorProto.TYPE_SINT32,
    "sint64": FieldDescriptorProto.TYPE_SINT64,
}

# Names, types and numbers of prometheus/client_model's metrics.proto; "*" marks what may come again.
_MESSAGES = {
    "LabelPair": "string name 1, string value 2",
    "Gauge": "double value 1",
    "Counter": "double value 1, Exemplar exemplar 2, Timestamp created_timestamp 3",
    "Quantile": "double quantile 1, double value 2",
    "Summary": "uint64 sample_count 1, double sample_sum 2, Quantile* quantile 3, Timestamp created_timestamp 4",
    "Untyped": "double value 1",
    "Histogram": "uint64 sample_count 1, double sample_count_float 4, double sample_sum 2, Bucket* bucket 3, "
    "Timestamp created_timestamp 15, sint32 schema 5, double zero_threshold 6, uint64 zero_count 7, "
    "double zero_count_float 8, BucketSpan* negative_span 9, sint64* negative_delta 10, double* negative_count 11, "
    "BucketSpan* positive_span 12, sint64* positive_delta 13, double* positive_count 14, Exemplar* exemplars 16",
    "Bucket": "uint64 cumulative_count 1, double cumulative_count_float 4, double upper_bound 2, Exemplar exemplar 3",
    "BucketSpan": "sint32 offset 1, uint32 length 2",
    "Exemplar": "LabelPair* label 1, double value 2, Timestamp timestamp 3",
    "Metric": "LabelPair* label 1, Gauge gauge 2, Counter counter 3, Summary summary 4, Untyped untyped 5, "
    "Histogram histogram 7, int64 timestamp_ms 6",
    "MetricFamily": "string name 1, string help 2, MetricType type 3, Metric* metric 4, string unit 5",
}
_METRIC_TYPES = ("COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM")
_PACKAGE = "io.prometheus.client"


def _described():
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=_PACKAGE, syntax="proto2")
    file.dependency.append("google/protobuf/timestamp.proto")
    kinds = file.enum_type.add(name="MetricType")
    for number, name in enumerate(_METRIC_TYPES):
        kinds.value.add(name=name, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for each in fields.split(", "):
            kind, field, number = each.split()
            repeated = kind.endswith("*")
            kind = kind.removesuffix("*")
            made = message.field.add(
                name=field,
                number=int(number),
                label=FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL,
            )
            if kind in _TYPES:
                made.type = _TYPES[kind]
            elif kind == "Timestamp":
                made.type, made.type_name = FieldDescriptorProto.TYPE_MESSAGE, ".google.protobuf.Timestamp"
            elif kind == "MetricType":
                made.type, made.type_name = FieldDescriptorProto.TYPE_ENUM, f".{_PACKAGE}.{kind}"
            else:
                made.type, made.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    return file


@pytest.fixture(scope="session")
def messages():
    """The classes of the exposition's messages, by name."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_described().SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


def _length_prefixed(stream):
    """The bytes of the next message, which its length precedes, seven bits a byte; none at the end."""
    length, place = 0, 0
    while byte := stream.read(1):
        length |= (byte[0] & 0x7F) << place
        place += 7
        if not byte[0] & 0x80:
            break
    written = stream.read(length)
    assert len(written) == length
    return written


@pytest.fixture(scope="session")
def families(messages):
    """Reads a body: its families, in their order. Nothing in them may be unknown."""

    def read(body):
        stream, found = io.BytesIO(body), []
        while written := _length_prefixed(stream):
            family = messages["MetricFamily"].FromString(written)
            size = family.ByteSize()
            family.DiscardUnknownFields()
            assert family.ByteSize() == size
            found.append(family)
        return found

    return read
