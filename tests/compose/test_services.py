"""The configuration of each service agrees with that of the others: ports, paths and names."""

import re

import pytest

from manometer.mixin import render
from manometer.mixin.slo.file import read_services

# What listens where, read from each service's own configuration.
LISTENING = {
    "engine": lambda files: {int(files.services["engine"]["environment"]["MANOMETER_PORT"])},
    "inbox": lambda files: {int(files.services["inbox"]["command"][-1])},
    "prometheus": lambda files: {_flag_port(files, "prometheus")},
    "alertmanager": lambda files: {_flag_port(files, "alertmanager")},
    "grafana": lambda files: {3000},
    "postgres": lambda files: {5432},
    "otelcol": lambda files: (
        _ports(files.read("otelcol/config.yaml")["receivers"])
        | _ports(files.read("otelcol/config.yaml")["extensions"])
    ),
    "loki": lambda files: {files.read("loki/loki.yaml")["server"]["http_listen_port"]},
    "tempo": lambda files: (
        _ports(files.read("tempo/tempo.yaml")["distributor"])
        | {files.read("tempo/tempo.yaml")["server"]["http_listen_port"]}
    ),
}


def _flag_port(files, service):
    (flag,) = [flag for flag in files.services[service]["command"] if flag.startswith("--web.listen-address=")]
    return int(flag.rpartition(":")[2])


def _ports(node):
    """The ports of every `endpoint` under a node that is open to other containers."""
    if isinstance(node, dict):
        own = {int(node["endpoint"].removeprefix("0.0.0.0:"))} if "endpoint" in node else set()
        return own.union(*(_ports(each) for each in node.values()))
    return set()


def references(files):
    """Every `service:port` that a file of compose/ names."""
    names = "|".join(files.services)
    for path in files.folder.rglob("*.y*ml"):
        text = re.sub(r"#.*|image: .*", "", path.read_text(encoding="utf-8"))
        for service, port in re.findall(rf"(?<![\w./-])(?:https?://)?({names}):(\d+)\b", text):
            yield path.name, service, int(port)


def test_what_one_sends_to_another_listens_on(files):
    """Each address in a configuration is one that the named service listens on."""
    found = list(references(files))
    assert {service for _, service, _ in found} >= {
        "engine",
        "prometheus",
        "alertmanager",
        "inbox",
        "otelcol",
        "tempo",
        "loki",
    }
    for file, service, port in found:
        assert port in LISTENING[service](files), f"{file} sends to {service}:{port}"


@pytest.mark.parametrize("service", sorted(LISTENING))
def test_a_published_port_is_one_that_is_listened_on(files, service):
    """What this machine reaches is what the service serves."""
    for port in files.services[service].get("ports", []):
        assert int(port.rpartition(":")[2]) in LISTENING[service](files)


def test_a_configuration_is_read_from_where_it_is_mounted(files):
    """The path on a command line is the target of a mount."""
    for service in ("prometheus", "alertmanager", "otelcol", "tempo", "loki"):
        (flag,) = [flag for flag in files.services[service]["command"] if re.match(r"--?config(\.file)?=", flag)]
        assert flag.partition("=")[2] in dict(map(reversed, files.mounts(service)))


def test_prometheus_finds_the_rules(files):
    """The pattern of rule_files is in the folder that rules are mounted at."""
    mounted = dict(files.mounts("prometheus"))
    assert files.read("prometheus/prometheus.yml")["rule_files"] == [f"{mounted['./prometheus/rules']}/*.yaml"]


def test_the_rules_of_alluse_are_up_to_date(files):
    """They follow from its thresholds and its promises: `make mixin` after a change, and commit what it wrote."""
    services = read_services([files.folder / "services" / "alluse.yaml"])
    made = render.files(render.configuration(files.folder / "mixin.yaml"), services=services)
    written = {f"alert_rules/{path.name}": path.read_text() for path in (files.folder / "prometheus/rules").iterdir()}
    assert written == {path: text for path, text in made.items() if path.startswith("alert_rules/")}


def test_the_stages_of_alluse_stand_in_nobody_elses_rules(files):
    """A shop with a stage `place_order` gets advice on it; `seek_approval` promises a latency, as any other."""
    for path in sorted((files.root / "alert_rules").glob("*.yaml")):
        assert [stage for stage in ("place_order", "seek_approval") if stage in path.read_text()] == []


def test_an_alert_that_holds_another_back_is_one_that_there_is(files):
    """The names in Alertmanager's inhibitions are those of the rules, as are the labels that have to agree."""
    rules = "".join(path.read_text() for path in (files.root / "alert_rules").glob("*.yaml"))
    inhibitions = files.read("alertmanager/alertmanager.yml")["inhibit_rules"]
    named = set(re.findall(r'alertname = "(\w+)"', str(inhibitions)))
    assert named == {"InfoInhibitor"}
    assert named <= set(re.findall(r"alert: (\w+)", rules))
    assert {label for each in inhibitions for label in each["equal"]} <= {"job", "instance", "queue_name"}


def test_prometheus_keeps_exemplars(files):
    """They are stored only where the feature is asked for."""
    assert "--enable-feature=exemplar-storage" in files.services["prometheus"]["command"]


def test_grafana_finds_the_dashboards(files):
    """The kit's, and the application's own: each provider's folder is where they are mounted."""
    kit, application = files.read("grafana/provisioning/dashboards/dashboards.yaml")["providers"]
    assert kit["options"]["path"] == dict(files.mounts("grafana"))["../dashboards"]
    assert application["options"]["path"] == dict(files.mounts("grafana"))["./grafana/dashboards"]
    for folder in ("dashboards", "compose/grafana/dashboards"):
        assert list((files.root / folder).glob("*.json"))


@pytest.fixture
def sources(files):
    """Grafana's data sources by their type."""
    found = files.read("grafana/provisioning/datasources/datasources.yaml")["datasources"]
    return {each["type"]: each for each in found}


def test_an_exemplar_leads_to_tempo(sources):
    """The figures' data source names the traces' one, and the label that Manometer writes."""
    assert set(sources) == {"prometheus", "tempo", "loki"}
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": sources["tempo"]["uid"]}


def test_a_log_line_leads_to_its_trace(sources):
    """By what Loki makes of the trace id of an OTLP line, which is no label of the stream."""
    (link,) = sources["loki"]["jsonData"]["derivedFields"]
    assert link["datasourceUid"] == sources["tempo"]["uid"]
    assert (link["matcherType"], link["matcherRegex"], link["url"]) == ("label", "trace_id", "$${__value.raw}")


def test_a_trace_leads_to_its_log_lines(sources):
    """Those of the same service: the stream is found by what Loki makes of `service.name`."""
    link = sources["tempo"]["jsonData"]["tracesToLogsV2"]
    assert link["datasourceUid"] == sources["loki"]["uid"]
    assert link["tags"] == [{"key": "service.name", "value": "service_name"}]
    assert (link["customQuery"], link["query"]) == (True, '{$${__tags}} | trace_id = "$${__trace.traceId}"')


def test_each_kind_of_telemetry_goes_to_its_own_store(files):
    """Loki takes OTLP at a path of its own, and attributes only where it is told to."""
    config = files.read("otelcol/config.yaml")
    pipelines = {name: each["exporters"] for name, each in config["service"]["pipelines"].items()}
    assert pipelines == {"traces": ["otlp/tempo"], "logs": ["otlphttp/loki"]}
    assert config["exporters"]["otlphttp/loki"]["endpoint"].endswith("/otlp")
    loki = files.read("loki/loki.yaml")
    assert loki["limits_config"]["allow_structured_metadata"] is True
    assert loki["schema_config"]["configs"][-1]["schema"] == "v13"  # the first that has them


def test_loki_writes_to_its_volume(files):
    """What Loki keeps outlives its container."""
    loki, volume = files.read("loki/loki.yaml"), dict(files.mounts("loki"))["loki"]
    assert loki["common"]["path_prefix"] == volume
    places = [*loki["common"]["storage"]["filesystem"].values(), loki["compactor"]["working_directory"]]
    assert all(path.startswith(f"{volume}/") for path in places)


def test_grafana_reckons_with_the_interval_of_the_scrapes(files):
    """$__rate_interval is made of it: too short a range has no data."""
    found = files.read("grafana/provisioning/datasources/datasources.yaml")["datasources"]
    scraped = files.read("prometheus/prometheus.yml")["global"]["scrape_interval"]
    assert [each["jsonData"]["timeInterval"] for each in found if each["type"] == "prometheus"] == [scraped]


def test_the_collectors_pipelines_use_what_is_defined(files):
    """Each part of a pipeline is configured, and none is configured in vain."""
    config = files.read("otelcol/config.yaml")
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in config["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == set(config[kind])
    assert config["service"]["extensions"] == list(config["extensions"])


def test_tempo_writes_to_its_volume(files):
    """What Tempo keeps outlives its container."""
    trace = files.read("tempo/tempo.yaml")["storage"]["trace"]
    volume = dict(files.mounts("tempo"))["tempo"]
    assert all(path.startswith(f"{volume}/") for path in (trace["wal"]["path"], trace["local"]["path"]))
