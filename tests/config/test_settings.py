"""Settings come from a file, the environment and the call, and a wrong one is refused by name."""

import dataclasses
import os
import subprocess
import sys

import pytest

from manometer.config import Settings
from manometer.errors import ConfigError
from waiting import DEADLINE


def test_defaults_stand_where_nothing_else_is_said():
    """Without a file, variables or overrides the exporter is local, on 9464, and leaves logging alone."""
    settings = Settings.load(environ={})
    assert (settings.host, settings.port, settings.logs, settings.otlp_endpoint) == ("127.0.0.1", 9464, False, None)
    assert settings == Settings()


def test_later_sources_win(tmp_path):
    """The file beats the default, the environment the file, and the call the environment."""
    file = tmp_path / "manometer.yaml"
    file.write_text("port: 1\nservice_name: file\nhealth_interval: 5\ntrace_ratio: 0.5\n")
    environ = {"MANOMETER_PORT": "2", "MANOMETER_SERVICE_NAME": "environment"}
    settings = Settings.load(file, environ, port=3)
    assert (settings.port, settings.service_name, settings.health_interval) == (3, "environment", 5)


def test_opentelemetry_variables_are_honoured_under_our_own():
    """OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME count where no MANOMETER_ variable says otherwise."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_SERVICE_NAME": "otel", "OTEL_OTHER": "x"}
    settings = Settings.load(environ=environ | {"MANOMETER_SERVICE_NAME": "ours"})
    assert (settings.otlp_endpoint, settings.service_name) == ("http://otel:4318", "ours")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"OTEL_RESOURCE_ATTRIBUTES": "host.name=h, service.name=check%20out ,service.version=2"}, "check out"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=resource", "OTEL_SERVICE_NAME": "name"}, "name"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=resource", "MANOMETER_SERVICE_NAME": "ours"}, "ours"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.version=2"}, "python"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name"}, "python"),
    ],
)
def test_the_resource_may_name_the_service(environ, name):
    """As OpenTelemetry has it: after the variable of its own."""
    assert Settings.load(environ=environ).service_name == name


def test_an_empty_variable_counts_as_unset():
    """An empty value is what a deployment template leaves of a value that was not given."""
    assert Settings.load(environ={"MANOMETER_PORT": "", "MANOMETER_LOG_FILE": " "}) == Settings()


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_flags_are_read_from_text(text, value):
    """A flag's variable is true or false, or 1 or 0."""
    assert Settings.load(environ={"MANOMETER_LOGS": text}).logs is value


@pytest.mark.parametrize(
    ("environ", "overrides", "message"),
    [
        (
            {"MANOMETER_PROT": "1"},
            {},
            "unknown setting 'MANOMETER_PROT' in the environment; did you mean MANOMETER_PORT?",
        ),
        (
            {"MANOMETER_PORT": "http"},
            {},
            "port is 'http' in variable MANOMETER_PORT; it takes a whole number from 0 to 65535",
        ),
        ({"MANOMETER_LOGS": "yes"}, {}, "logs is 'yes' in variable MANOMETER_LOGS; it takes true or false"),
        ({}, {"port": 65536}, "port is 65536 in the call; it takes a whole number from 0 to 65535"),
        ({}, {"port": True}, "port is True in the call; it takes a whole number from 0 to 65535"),
        ({}, {"port": None}, "port is None in the call; it takes a whole number from 0 to 65535"),
        ({}, {"port": "80"}, "port is '80' in the call; it takes a whole number from 0 to 65535"),
        ({}, {"port": 80.0}, "port is 80.0 in the call; it takes a whole number from 0 to 65535"),
        ({}, {"host": ""}, "host is '' in the call; it takes an address or a host name"),
        ({}, {"service_name": 5}, "service_name is 5 in the call; it takes a short name"),
        ({}, {"trace_ratio": True}, "trace_ratio is True in the call; it takes a number from 0 to 1"),
        ({}, {"trace_ratio": 2}, "trace_ratio is 2 in the call; it takes a number from 0 to 1"),
        ({}, {"trace_ratio": float("nan")}, "trace_ratio is nan in the call; it takes a number from 0 to 1"),
        ({}, {"health_interval": 0}, "health_interval is 0 in the call; it takes a number of seconds over 0"),
        ({}, {"drain_time": -1}, "drain_time is -1 in the call; it takes a number of seconds, 0 or more"),
        (
            {"MANOMETER_DRAIN_TIME": "inf"},
            {},
            "drain_time is inf in variable MANOMETER_DRAIN_TIME; it takes a number of seconds, 0 or more",
        ),
        ({}, {"crash_report": ""}, "crash_report is '' in the call; it takes a path"),
        ({}, {"log_format": "xml"}, "log_format is 'xml' in the call; it takes one of json, console"),
        ({}, {"logs": 1}, "logs is 1 in the call; it takes true or false"),
        (
            {"MANOMETER_OTLP_ENDPOINT": "otel:4318"},
            {},
            "otlp_endpoint is 'otel:4318' in variable MANOMETER_OTLP_ENDPOINT; "
            "it takes a URL such as http://127.0.0.1:4318",
        ),
        (
            {"MANOMETER_PORT_80": "web"},
            {},
            "unknown setting 'MANOMETER_PORT_80' in the environment; did you mean MANOMETER_PORT?",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_source_and_what_is_allowed(environ, overrides, message):
    """The error names the setting, where it came from and what it takes."""
    with pytest.raises(ConfigError) as raised:
        Settings.load(environ=environ, **overrides)
    assert str(raised.value) == message


@pytest.mark.parametrize("path", ["/", "/metrics", "/internal/figures-1.txt", "/~me/_m"])
def test_the_figures_may_have_any_plain_path(path):
    """Under the root."""
    assert Settings.load(environ={}, telemetry_path=path).telemetry_path == path


@pytest.mark.parametrize(
    "path", ["", "metrics", "/a b", "/m?x=1", "/m#a", "/livez", "/readyz", "/startupz", "/health", "/métrics", "/m\n"]
)
def test_a_path_that_no_request_has_is_refused(path):
    """And one that a probe has."""
    with pytest.raises(ConfigError, match="it takes a path such as /metrics, and of no other page"):
        Settings.load(environ={}, telemetry_path=path)


@pytest.mark.parametrize(("name", "value"), [("port", 0), ("port", 65535), ("trace_ratio", 0), ("trace_ratio", 1)])
def test_the_ends_of_a_range_are_in_it(name, value):
    """As the error has it that a value outside is answered with."""
    assert getattr(Settings.load(environ={}, **{name: value}), name) == value
    assert getattr(Settings.load(environ={f"MANOMETER_{name.upper()}": str(value)}), name) == value


def test_what_kubernetes_sets_for_a_service_called_manometer_is_ignored(caplog):
    """A service of that name must not stop the program; what is set by hand beside it counts."""
    links = {
        "MANOMETER_SERVICE_HOST": "10.0.0.1",
        "MANOMETER_SERVICE_PORT": "80",
        "MANOMETER_SERVICE_PORT_WEB": "80",
        "MANOMETER_PORT": "tcp://10.0.0.1:80",
        "MANOMETER_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MANOMETER_PORT_80_TCP_PROTO": "tcp",
        "MANOMETER_PORT_80_TCP_PORT": "80",
        "MANOMETER_PORT_80_TCP_ADDR": "10.0.0.1",
        "MANOMETER_CANARY_SERVICE_HOST": "10.0.0.2",
        "MANOMETER_CANARY_PORT": "udp://10.0.0.2:53",
        "MANOMETER_CANARY_PORT_53_UDP_ADDR": "10.0.0.2",
    }
    settings = Settings.load(environ=links | {"MANOMETER_SERVICE_NAME": "orders"})
    assert settings == Settings(service_name="orders")
    assert [record.getMessage() for record in caplog.records] == [
        f"ignored variables that Kubernetes sets for a service of that name: {', '.join(links)}; "
        "enableServiceLinks: false in the pod keeps them away"
    ]


@pytest.mark.parametrize(
    ("endpoint", "missing", "message"),
    [
        (
            "http://otel:4318",
            "opentelemetry.exporter.otlp.proto.http",
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but that needs an extra: pip install 'manometer[otlp]'",
        ),
        (
            "http://otel:4318",
            "opentelemetry.exporter",
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but that needs an extra: pip install 'manometer[otlp]'",
        ),
        (
            "otel:4317",
            None,
            "otlp_endpoint is 'otel:4317' in variable OTEL_EXPORTER_OTLP_ENDPOINT; "
            "it takes a URL such as http://127.0.0.1:4318; it is ignored",
        ),
    ],
)
def test_a_platform_s_receiver_that_cannot_be_used_is_a_warning(monkeypatch, caplog, endpoint, missing, message):
    """It was set for every program there; only what was asked of Manometer by its own name is an error."""
    if missing is not None:
        for name in [each for each in sys.modules if each.startswith(missing)]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, missing, None)
    assert Settings.load(environ={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) == Settings()
    assert [record.getMessage() for record in caplog.records] == [message]
    own = {"MANOMETER_OTLP_ENDPOINT": "http://own:4318", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    assert Settings.load(environ=own).otlp_endpoint == "http://own:4318"
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (9511, "a settings file is named by its path, not by 9511; a port is passed as port=9511"),
        (b"shop.yaml", "a settings file is named by its path, not by a bytes object"),
        ({"otlp_headers": "key=hush"}, "a settings file is named by its path, not by a dict object"),
    ],
)
def test_what_is_no_path_of_a_file_is_told_in_one_line(path, told):
    """And no value of a mapping, which may have a secret."""
    with pytest.raises(ConfigError) as raised:
        Settings.load(path, {})
    assert str(raised.value) == told


def test_addresses_and_a_port_of_one_source_are_refused(tmp_path):
    """Whoever names both expects both. Where sources differ, the addresses count."""
    both = {"port": 1, "listen_addresses": ":2"}
    file = tmp_path / "shop.yaml"
    file.write_text("port: 1\nlisten_addresses: ':2'\n")
    variables = {f"MANOMETER_{name.upper()}": str(value) for name, value in both.items()}
    for load, addresses, port in (
        (lambda: Settings.load(environ={}, **both), "the call", "the call"),
        (lambda: Settings.load(environ={}, options=both), "the command line", "the command line"),
        (lambda: Settings.load(file, {}), f"file {file}, line 2", f"file {file}, line 1"),
        (
            lambda: Settings.load(environ=variables),
            "variable MANOMETER_LISTEN_ADDRESSES",
            "variable MANOMETER_PORT",
        ),
    ):
        with pytest.raises(ConfigError) as raised:
            load()
        told = f"listen_addresses in {addresses} takes the place of port in {port}; keep one of them"
        assert str(raised.value) == told
    del variables["MANOMETER_PORT"]
    assert Settings.load(environ=variables, port=1).listen_addresses == ":2"
    assert Settings.load(environ=variables, port=1, listen_addresses=None).port == 1


def test_a_port_of_a_profile_is_refused_where_the_top_of_the_file_has_addresses(tmp_path):
    """The port would not count. Addresses of a profile do, in the place of a port at the top."""
    file = tmp_path / "shop.yaml"
    file.write_text("listen_addresses: ':2'\nprofiles:\n  production:\n    port: 1\n")
    with pytest.raises(ConfigError) as raised:
        Settings.load(file, {}, profile="production")
    assert str(raised.value) == (
        f"listen_addresses in file {file}, line 1 takes the place of port in file {file}, line 4;"
        " set listen_addresses to null there, or keep one of them"
    )
    file.write_text("listen_addresses: ':2'\nprofiles: {production: {port: 1, listen_addresses: null}}\n")
    assert Settings.load(file, {}, profile="production").port == 1
    file.write_text("port: 1\nprofiles: {production: {listen_addresses: ':2'}}\n")
    assert Settings.load(file, {}, profile="production").listen_addresses == ":2"


def test_an_unknown_setting_in_the_call_lists_the_known_ones():
    """Where no setting comes close, the error lists them all."""
    with pytest.raises(ConfigError, match="unknown setting 'colour' in the call; there are host, port,"):
        Settings.load(environ={}, colour="red")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot: 1", "unknown setting 'prot' in file {file}, line 1; did you mean port?"),
        ("port: '9464'", "port is '9464' in file {file}, line 1; it takes a whole number from 0 to 65535"),
        ("- port", "the settings file {file} holds a list; write lines such as 'port: 9464'"),
        ("port: [", "the settings file {file} is no YAML: "),
        ("1: 2", "unknown setting 1 in file {file}, line 1; there are host, port,"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, text, message):
    """A settings file that is malformed, or holds a wrong or unknown setting, is named in the error."""
    file = tmp_path / "manometer.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        Settings.load(file, {})
    assert str(raised.value).startswith(message.format(file=file))
    assert "\n" not in str(raised.value)


def test_a_malformed_file_is_refused_with_the_place_of_the_mistake(tmp_path):
    """In one line, whatever the lines of the parser's own message, and without the line itself: it may be secret."""
    file = tmp_path / "manometer.yaml"
    file.write_text("host: a\nport: [")
    with pytest.raises(ConfigError, match=r"is no YAML: expected the node content, .*, line 2, column 8$"):
        Settings.load(file, {})


def test_a_file_is_utf_8_in_any_locale(tmp_path):
    """As YAML has it; a program in the C locale reads it too."""
    file = tmp_path / "manometer.yaml"
    file.write_bytes("service_name: Bestände\n".encode())
    assert Settings.load(file, {}).service_name == "Bestände"
    program = (
        "import sys\nfrom manometer.config import Settings\nprint(ascii(Settings.load(sys.argv[1], {}).service_name))"
    )
    read = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program, file],
        env=os.environ | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (read.stdout, read.stderr) == ("'Best\\xe4nde'\n", "")


def test_a_file_without_the_extra_says_what_to_install(tmp_path, monkeypatch):
    """PyYAML is no requirement of a program that has no settings file."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "manometer.documents.yaml", raising=False)
    monkeypatch.delattr("manometer.documents.yaml", raising=False)
    with pytest.raises(ConfigError) as raised:
        Settings.load(tmp_path / "manometer.yaml", {})
    assert str(raised.value) == "a YAML file needs an extra: pip install 'manometer[yaml]'"


def test_a_missing_file_is_refused(tmp_path):
    """A settings file that was named has to be there."""
    with pytest.raises(ConfigError, match=r"cannot read the settings file .*none\.yaml: No such file or directory"):
        Settings.load(tmp_path / "none.yaml", {})


def test_an_empty_file_sets_nothing(tmp_path):
    """A file with nothing but comments leaves the defaults."""
    file = tmp_path / "manometer.yaml"
    file.write_text("# nothing yet\n")
    assert Settings.load(file, {}) == Settings()


def test_settings_are_checked_without_load_too():
    """A Settings that a program makes itself holds to the same rules."""
    with pytest.raises(ConfigError, match=r"port is -1 in Settings\(port=...\)"):
        Settings(port=-1)


def test_every_setting_says_what_it_means():
    """The reference table is filled from these lines."""
    for each in dataclasses.fields(Settings):
        assert each.metadata["help"].endswith("."), each.name
