"""What Manometer uses of prometheus-client's private names is still there, and does what it did."""

import ast
from importlib.metadata import version
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, validation
from prometheus_client.openmetrics import exposition as openmetrics

import manometer
from manometer import prometheus_internals as internals

SOURCES = Path(manometer.__file__).parent

USED = [
    ("lock_of", lambda: CollectorRegistry(), "_lock"),
    ("collectors_of", lambda: CollectorRegistry(), "_collector_to_names"),
    ("collector_named, collectors_by_name", lambda: CollectorRegistry(), "_names_to_collectors"),
    ("target_info_of", lambda: CollectorRegistry(), "_target_info_metric"),
    ("name_of_meter", lambda: Counter("c", "", registry=None), "_name"),
    ("label_names_of, children_of", lambda: Counter("c", "", ["of"], registry=None), "_labelnames"),
    ("children_of, locks_within", lambda: Counter("c", "", ["of"], registry=None), "_metrics"),
    ("samples_of_child", lambda: Counter("c", "", registry=None), "_child_samples"),
    ("locks_within", lambda: Gauge("g", "", ["of"], registry=None), "_lock"),
    ("shows_creation_times", lambda: prometheus_client.metrics, "_use_created"),
    ("writes_own_files", lambda: prometheus_client.values.ValueClass, "_multiprocess"),
    ("is_classic_name", lambda: validation, "_is_valid_legacy_metric_name"),
    ("escaped_sample_name", lambda: openmetrics, "_escape"),
    ("escaped_sample_name", lambda: openmetrics, "_is_legacy_labelname_rune"),
]
"""Who uses it, what has it, and the name."""
OPTIONAL = {"_collectors_without_names"}  # since prometheus-client 0.25


@pytest.mark.parametrize(("users", "owner", "name"), USED, ids=[f"{users}:{name}" for users, _, name in USED])
def test_each_private_name_is_there(users, owner, name):
    """Where one is gone, the failure says which, in what version, and which function needs another way."""
    found = owner()
    has = getattr(found, "__name__", type(found).__name__)
    assert hasattr(found, name), (
        f"prometheus-client {version('prometheus-client')} has no {has}.{name}: "
        f"mend {users} in manometer/prometheus_internals.py"
    )


def test_the_list_above_is_whole():
    """Each private name that the module reads stands in the list."""
    tree = ast.parse(Path(internals.__file__).read_text())
    read = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute) and each.attr.startswith("_")}
    read |= {alias.name for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) for alias in each.names}
    read |= {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    private = {name for name in read if name.startswith("_") and name != "_created" and name.isidentifier()}
    assert private - OPTIONAL == {name for *_, name in USED}


@pytest.mark.parametrize(
    "path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)).removesuffix(".py")
)
def test_no_other_file_uses_them(path):
    """Neither imported from prometheus-client, nor read from an object that is not the class's own."""
    if path == Path(internals.__file__):
        return
    names = {name for *_, name in USED} | OPTIONAL
    for each in ast.walk(ast.parse(path.read_text())):
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("prometheus_client"):
            private = [alias.name for alias in each.names if alias.name.startswith("_")]
            assert not private, f"line {each.lineno} imports {private}"
        if isinstance(each, ast.Attribute) and each.attr in names:
            own = isinstance(each.value, ast.Name) and each.value.id in {"self", "cls"}
            assert own, f"line {each.lineno} reads {ast.unparse(each)}"


def test_a_registry_tells_of_its_collectors():
    """In order, and by each of their names; what takes its lock waits for whoever holds it."""
    registry = CollectorRegistry(target_info={"of": "a test"})
    second, first = Gauge("b", "", registry=registry), Counter("a", "", registry=registry)
    assert internals.collectors_of(registry) == [second, first]
    assert internals.collectors_by_name(registry).items() >= {"b": second, "a": first, "a_total": first}.items()
    assert internals.collector_named(registry, "a_total") is first
    assert internals.collector_named(registry, "c") is None
    assert internals.target_info_of(registry).samples[0].labels == {"of": "a test"}
    with internals.lock_of(registry):
        assert internals.lock_of(registry).locked()


@pytest.mark.parametrize("kit", [prometheus_client, manometer], ids=lambda kit: kit.__name__)
def test_a_meter_tells_its_name(kit):
    """That of its family, as it stands before its samples."""
    assert internals.name_of_meter(kit.Counter("a_total", "", registry=None)) == "a"
    assert internals.name_of_meter(kit.Gauge("depth", "", namespace="queue", registry=None)) == "queue_depth"


def test_collectors_without_names_are_told_where_the_registry_keeps_them():
    """They are collected whatever names are asked for, since prometheus-client 0.25."""

    class Nameless:
        def collect(self):
            return []

    try:
        registry = CollectorRegistry(support_collectors_without_names=True)
    except TypeError:
        assert list(internals.collectors_without_names(CollectorRegistry())) == []
        return
    registry.register(found := Nameless())
    assert list(internals.collectors_without_names(registry)) == [found]


@pytest.mark.parametrize("kind", [Counter, Gauge, Histogram, Summary])
def test_a_meter_tells_of_its_series(kind):
    """With labels its children, without the meter itself; their samples are those of a collection."""
    plain, labelled = kind("plain", "", registry=None), kind("labelled", "", ["of"], registry=None)
    child = labelled.labels("x")
    assert internals.children_of(plain) == {(): plain}
    assert internals.children_of(labelled) == {("x",): child}
    assert internals.label_names_of(labelled) == ("of",)
    (family,) = labelled.collect()
    assert [each.value for each in internals.samples_of_child(child)] == [each.value for each in family.samples]


@pytest.mark.parametrize("kind", [Counter, Gauge, Histogram, Summary])
def test_every_lock_of_a_meter_is_found(kind):
    """Its own, its children's, and those of their values: with all of them held, nothing can be written."""
    labelled = kind("labelled", "", ["of"], registry=None)
    labelled.labels("x")
    locks = list(internals.locks_within(labelled))
    assert len(locks) >= 2  # of the family and of one value
    assert all(hasattr(each, "_at_fork_reinit") for each in locks)


def test_switches_are_read_as_they_are_now():
    """The one of `_created` samples may be turned while the program runs."""
    assert internals.shows_creation_times()
    prometheus_client.disable_created_metrics()
    try:
        assert not internals.shows_creation_times()
    finally:
        prometheus_client.enable_created_metrics()
    assert internals.writes_own_files() is False


def test_names_are_spelled_as_prometheus_client_does():
    """A name beyond the classic alphabet is quoted or escaped."""
    assert internals.is_classic_name("a:b_1")
    assert not internals.is_classic_name("a.b")
    assert internals.escaped_sample_name("a.b", "underscores") == "a_b"
    assert internals.escaped_sample_name("a.b", "dots") == "a_dot_b"
