"""A service's file: what it gives, and how a mistake in it is told."""

from pathlib import Path

import pytest

from manometer.catalogue.engine import STAGE_DURATION
from manometer.errors import ConfigError
from manometer.mixin.histograms import events
from manometer.mixin.promql import TARGET
from manometer.mixin.slo.file import read_services
from manometer.mixin.slo.service import Indicator, Objective, Service

SAMPLES = sorted((Path(__file__).parents[3] / "docs" / "samples" / "slo").glob("*.yaml"))

INDICATOR = "metric: engine.stage.duration\n      bad: {engine.stage.outcome: error}"

GOOD = """\
service: shop
objectives:
  orders:
    target: 0.999
    indicator:
      metric: engine.stage.duration
      bad: {engine.stage.outcome: error}
"""


@pytest.fixture
def read(tmp_path):
    """Reads services from texts."""

    def reading(*texts):
        paths = [tmp_path / f"{place}.yaml" for place, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return read_services(paths)

    return reading


def test_what_a_file_leaves_out_has_its_default(read):
    """The service's own job, 30 days, a page."""
    total, each = (events(STAGE_DURATION, of, {"job": "shop"}) for of in ((), TARGET))
    failed = {"job": "shop", "engine.stage.outcome": "error"}
    bad, each_bad = (events(STAGE_DURATION, of, failed) for of in ((), TARGET))
    of_each = f"({each_bad}) / {each}"
    indicator = Indicator(total, f"{bad} or 0 * {total}", of_each)
    assert read(GOOD) == (
        Service("shop", (Objective("orders", 0.999, "30d", "critical", 0.1, indicator),), jobs=("shop",)),
    )


def test_the_samples_say_what_they_can():
    """All that a file may have; what stands at the top holds for each objective that does not say otherwise."""
    shop, stock = read_services(SAMPLES)
    assert (shop.name, shop.team, shop.depends_on) == ("shop", "orders", ("stock", "postgres"))
    orders, speed, pages = shop.objectives
    assert (orders.window, orders.severity, orders.floor) == ("30d", "critical", 0.1)
    assert (pages.window, pages.severity, pages.target_ratio) == ("7d", "warning", 0.995)
    assert 'le="0.25"' in speed.indicator.errors
    assert pages.indicator.events == 'sum(rate(http_requests_total{job="shop"}[5m]))'
    [lookups] = stock.objectives
    assert lookups.floor == 1


def test_what_is_good_can_be_counted_instead(read):
    """The rest is bad, also where nothing was good so far."""
    text = GOOD.replace("metric: engine.stage.duration", "total: a_total").replace(
        "bad: {engine.stage.outcome: error}", "good: 'b_total{code=\"200\"}'"
    )
    [service] = read(text)
    total, good = "sum(rate(a_total[5m]))", 'sum(rate(b_total{code="200"}[5m]))'
    each = "sum by (job, instance) (rate(a_total[5m]))"
    each_good = 'sum by (job, instance) (rate(b_total{code="200"}[5m]))'
    of_each = f"({each} - ({each_good} or 0 * {each})) / {each}"
    assert service.objectives[0].indicator == Indicator(total, f"{total} - ({good} or 0 * {total})", of_each)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("service: shop", "servise: shop", "unknown key 'servise' in {file}, line 1; did you mean service?"),
        ("service: shop\n", "", "the service has no service in {file}"),
        ("service: shop", "service: 'a b'", "service is 'a b' in {file}, line 1; it takes a name of letters, digits"),
        ("service: shop", "service: a\nservice: b", "service is there 2 times in {file}: lines 1, 2"),
        ("service: shop", "service: a\n3: b", "3 is no name in {file}, line 2; quote it"),
        ("service: shop", "service: a\nteam: [b]", "team is ['b'] in {file}, line 2; it takes a name"),
        ("service: shop", "service: a\njobs: b", "jobs is 'b' in {file}, line 2; it takes a list"),
        ("service: shop", "service: a\njobs: []", "jobs is [] in {file}, line 2; it takes a list"),
        ("service: shop", "service: a\njobs: [b c]", "jobs is ['b c'] in {file}, line 2; it takes a list"),
        (
            *("service: shop", "service: a\ndependsOn: [a]"),
            "dependsOn is ['a'] in {file}, line 2; it takes other services and jobs than the service's own",
        ),
        (
            "service: shop",
            "service: a\nwindow: 1h",
            "window is '1h' in {file}, line 2; it takes days, from 7d to 90d",
        ),
        ("service: shop", "service: a\nwindow: 91d", "window is '91d' in {file}, line 2; it takes days, from 7d to"),
        ("service: shop", "service: a\nfloor: -1", "floor is -1 in {file}, line 2; it takes a number of events"),
        (
            *("service: shop", "service: a\nseverity: critcal"),
            "unknown severity 'critcal' in {file}, line 2; did you mean critical?",
        ),
        ("    target: 0.999\n", "", "objectives.orders has no target in {file}, line 3"),
        (
            "target: 0.999",
            "targt: 1",
            "unknown key 'objectives.orders.targt' in {file}, line 4; did you mean target?",
        ),
        (
            "target: 0.999",
            "target: 99.9",
            "objectives.orders.target is 99.9 in {file}, line 4; it takes a ratio under",
        ),
        (
            "target: 0.999",
            "target: true",
            "objectives.orders.target is True in {file}, line 4; it takes a ratio under",
        ),
        ("target: 0.999", "target: 1", "objectives.orders.target is 1 in {file}, line 4; it takes a ratio under 1:"),
        (
            "target: 0.999",
            "target: 0.9",
            "objectives.orders.target is 0.9 in {file}, line 4; it takes a ratio over 0.93",
        ),
        ("  orders:", "  or ders:", "objectives.or ders is a mapping in {file}, line 3; it takes a name"),
        (f"\n      {INDICATOR}", " 3", "objectives.orders.indicator is 3 in {file}, line 5; it takes a mapping of"),
        (
            *("engine.stage.duration", "engine.stage.duratoin"),
            "unknown metric 'engine.stage.duratoin' in {file}, line 6; did you mean engine.stage.duration?",
        ),
        (
            *("engine.stage.outcome: error", "engine.stage.outcom: error"),
            "unknown attribute of engine.stage.duration 'objectives.orders.indicator.bad.engine.stage.outcom' in "
            "{file}, line 7; did you mean engine.stage.outcome?",
        ),
        (
            *("engine.stage.outcome: error", "engine.stage.outcome: eror"),
            "unknown engine.stage.outcome 'eror' in {file}, line 7; did you mean error?",
        ),
        (
            *("bad: {engine.stage.outcome: error}", "within: 0.3"),
            "objectives.orders.indicator.within is 0.3 in {file}, line 7; it takes seconds at which a bucket of "
            "engine.stage.duration ends: 1e-05, ",
        ),
        (
            *(INDICATOR, "metric: cache.requests\n      within: 1"),
            "objectives.orders.indicator.within is 1 in {file}, line 7; it takes no value for cache.req",
        ),
        (
            *("bad: {engine.stage.outcome: error}", "good: a_total"),
            "objectives.orders.indicator has good, which does not go with a metric, in {file}, line 5",
        ),
        (
            *("bad: {engine.stage.outcome: error}", "where: {engine.name: shop}"),
            "objectives.orders.indicator needs one of bad and within in {file}, line 5",
        ),
        (
            *("metric: engine.stage.duration", "where: {}"),
            "objectives.orders.indicator has neither a metric of the catalogue nor a total in {file}, line 5",
        ),
        (
            *("metric: engine.stage.duration", "total: a_total\n      within: 1"),
            "objectives.orders.indicator has within, which goes with a metric alone, in {file}, line 5",
        ),
        (
            *(INDICATOR, "total: a_total"),
            "objectives.orders.indicator needs one of bad and good in {file}, line 5",
        ),
        (
            *(INDICATOR, "total: a_total[5m]\n      bad: b_total"),
            "objectives.orders.indicator.total is 'a_total[5m]' in {file}, line 6; it takes a selector of counters",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_meant(read, tmp_path, old, new, message):
    """In one sentence, of the first one."""
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as refused:
        read(GOOD.replace(old, new))
    assert str(refused.value).startswith(message.format(file=f"file {tmp_path / '0.yaml'}"))
    assert "\n" not in str(refused.value)


def test_an_objective_is_needed(read):
    """A service that promises nothing has no file."""
    with pytest.raises(ConfigError, match="it takes one objective at least"):
        read("service: shop\nobjectives: {}\n")


def test_what_is_no_mapping_or_no_yaml_is_refused(read):
    """As every file that people write."""
    with pytest.raises(ConfigError, match="holds a list; write lines such as 'service: shop'"):
        read("- shop")
    with pytest.raises(ConfigError, match=r"the service file .* is no YAML: .*, line 2"):
        read("service: shop\n}")


def test_services_in_a_circle_are_refused(read):
    """Each would hold back the other's pages, and nobody would be told."""
    one, two, three = (GOOD.replace("shop", name) + f"dependsOn: [{needs}]\n" for name, needs in ("ab", "bc", "ca"))
    with pytest.raises(ConfigError, match="in a circle, so that none would be heard: a -> b -> c -> a"):
        read(one, two, three)
    assert [each.name for each in read(one, two)] == ["a", "b"]


def test_a_service_has_one_file(read):
    """Two would record the same series."""
    with pytest.raises(ConfigError, match="2 files describe the service shop; keep one of them"):
        read(GOOD, GOOD)
