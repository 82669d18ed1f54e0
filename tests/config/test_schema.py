"""The JSON Schema of a settings file says of a file what the checker says."""

from dataclasses import dataclass, field

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from manometer.config import Settings
from manometer.config.declared import declared
from manometer.config.loading import mistakes_of, read_file
from manometer.config.schema import schema


@dataclass
class Shop:
    """A program's settings."""

    workers: int = 4
    names: tuple[str, ...] = ()
    key: str = field(default="", metadata={"secret": True, "help": "Key of the till."})


KINDS = {None: Settings, "shop": Shop}
SCHEMA = schema(declared(Settings), {"shop": declared(Shop)})
CHECKER = jsonschema.Draft202012Validator(SCHEMA)

GOOD = [
    "",
    "port: 0",
    "collector_timeout: 5\notlp_endpoint: null\nlog_level: debug",
    "drain_time: 0\ncrash_report: /crash.txt",
    "otlp_headers_file: /token",
    "otlp_headers: a=b",
    "listen_addresses: '127.0.0.1:9464, [::1]:65535,unix:/run/a b.sock,:0'",
    "listen_addresses: null\nport: 1",
    "port: 1\nprofiles: {production: {listen_addresses: ':1'}}",
    "profiles:",
    "profiles: {production: {port: 1, programs: {shop: {workers: 2, names: [a], key_file: k}}}, staging: }",
    "programs: {shop: {workers: 1}, stall: {anything: [1]}}",
]
BAD = [
    "prot: 1",
    "port: 65536",
    "port: '1'",
    "port: true",
    "- port",
    "collector_timeout: 0",
    "drain_time: -1",
    "crash_report: ''",
    "trace_ratio: 1.5",
    "otlp_endpoint: otel:4318",
    "otlp_endpoint: http://",
    "host: ''",
    "listen_addresses: ''",
    "listen_addresses: localhost",
    "listen_addresses: ':1,127.0.0.1:65536'",
    "host: null",
    "listen_addresses: ':1'\nport: 1",
    "profiles: {production: {listen_addresses: ':1', host: a}}",
    "log_level: loud",
    "otlp_headers: a=b\notlp_headers_file: c",
    "otlp_headers_file: ''",
    "profiles: [production]",
    "profiles: {production: 1}",
    "profiles: {production: {prot: 1}}",
    "profiles: {production: {profiles: {a: {}}}}",
    "programs: {shop: {workers: many}}",
    "programs: {shop: {names: a}}",
    "programs: {shop: {wrokers: 1}}",
    "programs: {stall: 1}",
    "profiles: {production: {programs: {shop: {key: a, key_file: b}}}}",
    "profiles: {'': {}}",
]


def test_the_schema_is_one():
    """Of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("text", GOOD)
def test_a_right_file_passes_both(tmp_path, text):
    """The schema and the checker."""
    assert _verdicts(tmp_path, text) == (True, True)


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_file_passes_neither(tmp_path, text):
    """Whatever is wrong, and in which profile or program."""
    assert _verdicts(tmp_path, text) == (False, False)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70_000),
    st.floats(-1, 40).filter(lambda value: not value.is_integer()),  # 1.0 is a whole number to JSON Schema
    st.sampled_from(["", "a", "http://a", "http://", "debug", "json", "x=y"]),
)
NAMES = st.sampled_from([*declared(Settings), "otlp_headers_file", "prot"]).filter(
    lambda name: name != "otlp_headers"
)
LEVELS = st.dictionaries(NAMES, SCALARS, max_size=3)
SECTIONS = st.dictionaries(st.sampled_from(["workers", "names", "key", "key_file", "x"]), SCALARS | st.lists(SCALARS))
PARTS = st.dictionaries(st.sampled_from(["shop", "stall"]), st.none() | SECTIONS | SCALARS)


@given(
    level=LEVELS,
    programs=st.none() | PARTS,
    profiles=st.none() | st.dictionaries(st.sampled_from(["production", "staging"]), LEVELS | SCALARS),
)
def test_any_file_passes_both_or_neither(tmp_path_factory, level, programs, profiles):
    """Headers aside, whose form a pattern cannot tell."""
    text = yaml.safe_dump({**level, "programs": programs, "profiles": profiles})
    by_schema, by_checker = _verdicts(tmp_path_factory.getbasetemp(), text)
    assert by_schema == by_checker, text


def test_the_schema_tells_no_default_of_a_secret():
    """It is made to be passed around."""
    properties = SCHEMA["properties"]["programs"]["properties"]["shop"]["properties"]
    assert "default" not in properties["key"]
    assert properties["workers"]["default"] == 4


def _verdicts(folder, text):
    path = folder / "settings.yaml"
    path.write_text(text)
    try:
        found = mistakes_of(read_file(path), KINDS)
    except ValueError as error:
        found = [str(error)]
    return CHECKER.is_valid(yaml.safe_load(text)), not found
