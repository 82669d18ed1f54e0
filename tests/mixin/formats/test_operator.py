"""The manifests for the Prometheus Operator, by the schemas that it publishes."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from manometer.errors import ConfigError
from manometer.mixin import render
from manometer.mixin.thresholds import Thresholds, parse

SCHEMAS = json.loads((Path(__file__).parents[1] / "schemas" / "prometheus-operator.schemas.json").read_text())
CONFIG = parse({"jobs": ["shop"]})
PLAIN = render.files(CONFIG)
MADE = {path: yaml.safe_load(text) for path, text in render.files(CONFIG, "operator").items()}
LARGEST = 262_144
"""Bytes of what `kubectl apply` notes of a manifest."""


def strict(schema):
    """The schema, by which a name that it does not know is a mistake."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(each) for name, each in schema.items()}
    if isinstance(made.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    if isinstance(made.get("pattern"), str):  # Go has the flags of a group at any place, Python at the start alone
        made["pattern"] = made["pattern"].replace("^(?i)", "(?i)^")
    return made


def of_kind(kind):
    """The manifests of a kind, by their paths."""
    return {path: each for path, each in MADE.items() if each["kind"] == kind}


def parameters():
    """Each manifest that the operator reads, by its path."""
    return [pytest.param(each, id=path) for path, each in MADE.items() if each["kind"] != "ConfigMap"]


@pytest.mark.parametrize("manifest", parameters())
def test_the_operator_accepts_a_manifest(manifest):
    """By its schema, and without a name that this does not know."""
    schema = strict(SCHEMAS[f"{manifest['kind']}/v1"])
    jsonschema.Draft202012Validator(schema).validate(manifest)


def test_the_schema_notices_a_misspelt_name():
    """The test itself: a rule with a wrong key is none."""
    manifest = json.loads(json.dumps(MADE["operator/rules-cache.yaml"]))
    manifest["spec"]["groups"][0]["rules"][0]["exprs"] = "up"
    with pytest.raises(jsonschema.ValidationError, match="exprs"):
        jsonschema.Draft202012Validator(strict(SCHEMAS["PrometheusRule/v1"])).validate(manifest)


@pytest.mark.servers
@pytest.mark.parametrize("manifest", MADE.values(), ids=MADE)
def test_kubernetes_accepts_the_metadata(manifest):
    """A ConfigMap as a whole; of the operator's kinds, what all kinds have."""
    validate = pytest.importorskip("kubernetes_validate", reason="not installed: kubernetes-validate").validate
    core = manifest if manifest["kind"] == "ConfigMap" else {"apiVersion": "v1", "kind": "ConfigMap"}
    validate({**core, "metadata": manifest["metadata"]}, "1.34", strict=True)


def test_names_are_names_of_kubernetes_and_each_there_once():
    """A second object of a kind and a name would replace the first."""
    names = [(each["kind"], each["metadata"]["name"]) for each in MADE.values()]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for _, name in names)


def test_rules_and_dashboards_are_those_of_the_plain_files():
    """Nothing is lost, and nothing is written in another way."""
    groups = [each["spec"] for each in of_kind("PrometheusRule").values()]
    assert groups == [yaml.safe_load(text) for path, text in PLAIN.items() if path.startswith("alert_rules/")]
    boards = {name: text for each in of_kind("ConfigMap").values() for name, text in each["data"].items()}
    assert boards == {
        path.removeprefix("dashboards/"): text for path, text in PLAIN.items() if path.startswith("dashboards/")
    }


def test_every_manifest_can_be_applied():
    """kubectl notes each in an annotation, whose length is bounded."""
    assert max(len(json.dumps(each).encode()) for each in MADE.values()) < LARGEST


def test_what_is_scraped_gets_the_job_that_the_rules_watch():
    """The job is the value of the label that chooses it, for services and for pods alike."""
    made = render.files(parse({"jobs": ["shop", "reports"]}), "operator")
    for name in ("service-monitor", "pod-monitor"):
        spec = yaml.safe_load(made[f"operator/scrapes/{name}.yaml"])["spec"]
        assert spec["jobLabel"] == "app.kubernetes.io/name"
        [chosen] = spec["selector"]["matchExpressions"]
        assert chosen == {"key": spec["jobLabel"], "operator": "In", "values": ["shop", "reports"]}


def test_without_a_named_job_nothing_is_scraped():
    """A monitor of everything would scrape what others scrape."""
    assert not [path for path in render.files(Thresholds(), "operator") if "scrapes" in path]


def test_the_sample_of_kubernetes_is_found():
    """Label and port of docs/samples are those that the monitors look for."""
    sample = Path(__file__).parents[3] / "docs" / "samples" / "kubernetes" / "shop.yaml"
    pod, service = (
        next(each for each in yaml.safe_load_all(sample.read_text()) if each["kind"] == kind)
        for kind in ("Deployment", "Service")
    )
    services, pods = (MADE[f"operator/scrapes/{name}-monitor.yaml"]["spec"] for name in ("service", "pod"))
    labels = (service["metadata"]["labels"], pod["spec"]["template"]["metadata"]["labels"])
    assert all(services["jobLabel"] in each for each in labels)
    [container] = pod["spec"]["template"]["spec"]["containers"]
    assert services["endpoints"][0]["port"] in {each["name"] for each in service["spec"]["ports"]}
    assert pods["podMetricsEndpoints"][0]["port"] in {each["name"] for each in container["ports"]}


def test_a_job_that_is_no_value_of_a_label_is_refused():
    """Rather than scraped by no monitor."""
    with pytest.raises(ConfigError, match=r"job 'a/b' cannot be the value of the label app\.kubernetes\.io/name"):
        render.files(parse({"jobs": ["a/b"]}), "operator")
