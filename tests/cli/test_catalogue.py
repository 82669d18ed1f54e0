"""`manometer catalogue`: every metric, in each format."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from manometer.catalogue import SUBJECTS, Convention
from manometer.catalogue.attributes import OURS
from manometer.cli import main
from manometer.mixin.tables import metrics_table

SCHEMAS = Path(__file__).parent / "schemas"
ROWS = [row for rows in SUBJECTS.values() for row in rows]


def printed(capsys, *arguments):
    """What the command writes."""
    assert main(["catalogue", *arguments]) == 0
    return capsys.readouterr().out


def schema(name):
    """One of Weaver's published schemas."""
    return json.loads((SCHEMAS / f"weaver-{name}.schema.v2.json").read_text())


def test_the_table_is_that_of_the_documentation(capsys):
    """For people, and what is printed without a format."""
    assert printed(capsys) == printed(capsys, "--format", "markdown") == metrics_table() + "\n"


def test_json_has_every_metric_by_both_names(capsys):
    """In the order of the catalogue."""
    found = json.loads(printed(capsys, "--format", "json"))
    assert [each["name"] for each in found] == [row.name for row in ROWS]
    by_name = {each["name"]: each for each in found}
    assert by_name["cache.requests"] == {
        "subject": "cache",
        "name": "cache.requests",
        "instrument": "counter",
        "unit": "{request}",
        "help": "Lookups in the cache by their result; writes, removals and membership tests are none.",
        "convention": ".NET 11 MemoryCache, as proposed for all caches",
        "attributes": [
            {"name": "cache.name", "label": "cache_name", "values": []},
            {"name": "cache.request.type", "label": "cache_request_type", "values": ["hit", "miss"]},
        ],
        "buckets": [],
        "prometheus": {"name": "cache_requests_total", "type": "counter"},
    }
    assert by_name["pool.wait.duration"]["buckets"][:2] == [0.0001, 0.00025]
    assert by_name["pool.wait.duration"]["convention"] is None
    assert by_name["system.memory.usage"]["prometheus"] == {"name": "system_memory_usage_bytes", "type": "gauge"}


def test_the_definitions_are_valid_by_weavers_schema(capsys):
    """As the schema of Weaver's definition files has it."""
    jsonschema.validate(yaml.safe_load(printed(capsys, "--format", "weaver")), schema("semconv"))


def test_the_registry_is_complete(capsys):
    """Each metric is defined or imported, and each attribute that a definition refers to is ours or theirs."""
    found = yaml.safe_load(printed(capsys, "--format", "weaver"))
    defined, imported = [each["name"] for each in found["metrics"]], found["imports"]["metrics"]
    assert sorted(defined + imported) == sorted(row.name for row in ROWS)
    assert imported == [row.name for row in ROWS if row.convention is Convention.SEMCONV]
    keys = [each["key"] for each in found["attributes"]]
    referred = {ref["ref"] for each in found["metrics"] for ref in each["attributes"]}
    of_conventions = {"error.type", "cpython.gc.generation", "code.function.name"}
    assert referred - set(keys) == of_conventions
    assert set(keys) <= referred


def test_an_attribute_with_closed_values_is_an_enumeration(capsys):
    """And any other is text, with an example that its values allow."""
    found = {each["key"]: each for each in yaml.safe_load(printed(capsys, "--format", "weaver"))["attributes"]}
    assert found["cache.name"]["type"] == "string"
    for key, each in found.items():
        if each["type"] != "string":
            assert each["examples"][0] in [member["value"] for member in each["type"]["members"]], key
    members = found["pool.kind"]["type"]["members"]
    assert [member["value"] for member in members] == ["connection", "object", "worker"]
    assert list(OURS) == sorted(OURS)
    assert all(each.help.endswith(".") for each in OURS.values())


def test_a_registry_is_written_with_its_manifest(tmp_path, capsys):
    """Weaver reads a schema URL as text, whatever its published schema says: that describes the type's inside."""
    folder = tmp_path / "new" / "registry"
    told = printed(capsys, "--format", "weaver", "--out", str(folder))
    assert told.splitlines() == [str(folder / "manifest.yaml"), str(folder / "manometer.yaml")]
    definitions = yaml.safe_load((folder / "manometer.yaml").read_text())
    assert definitions == yaml.safe_load(printed(capsys, "--format", "weaver"))
    expected = schema("manifest")
    expected["$defs"]["SchemaUrl"] = {"type": "string", "pattern": r"https://[a-z.]+(/[a-z]+)*/\d+\.\d+\.\d+"}
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    jsonschema.validate(manifest, expected)
    (conventions,) = manifest["dependencies"]
    assert Convention.SEMCONV.value.endswith(conventions["schema_url"].rpartition("/")[2])
    assert f"v{conventions['schema_url'].rpartition('/')[2]}.zip[model]" in conventions["registry_path"]


@pytest.mark.parametrize("arguments", [["--out", "x"], ["--format", "json", "--out", "x"]])
def test_a_folder_without_a_registry_is_refused(arguments, capsys):
    """What is printed is redirected."""
    assert main(["catalogue", *arguments]) == 2
    assert capsys.readouterr().err.startswith("manometer: --out is for a registry; add --format weaver, or redirect")


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    """In one line."""
    (tmp_path / "file").touch()
    assert main(["catalogue", "--format", "weaver", "--out", str(tmp_path / "file")]) == 2
    assert "the registry cannot be written to" in capsys.readouterr().err
