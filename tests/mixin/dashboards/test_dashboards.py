"""The linter of dashboards: what holds for each of them, panel by panel, query by query."""

import itertools
import json
import re

import pytest

from manometer.catalogue import SUBJECTS
from manometer.mixin import dashboards, rules
from manometer.mixin.promql import FOREIGN
from manometer.mixin.thresholds import Thresholds, parse

BOARDS = {name: json.loads(text) for name, text in dashboards.files(Thresholds()).items()}
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
TARGETS = [(f"{name}/{panel['title']}", panel, target) for name, panel in PANELS for target in panel["targets"]]
CHOICES = {each["name"] for board in BOARDS.values() for each in board["templating"]["list"]} - {"datasource"}
VARIABLES = CHOICES | {"__rate_interval", "__range", "__interval"}
DROPS_ON_ZERO = re.compile(r"> 0|or vector\(0\)")

boards = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
panels = pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{n}/{p['title']}" for n, p in PANELS]
)
targets = pytest.mark.parametrize(
    ("panel", "target"), [each[1:] for each in TARGETS], ids=[f"{where}-{t['refId']}" for where, _, t in TARGETS]
)


def covers(matchers, label):
    """Whether a selector follows the variable: its value, or that and nothing, for series that lack the label."""
    variable = f"${label.removesuffix('_name')}"
    return matchers.get(label, ("", ""))[1] in (variable, f"{variable}|") and matchers[label][0] == "=~"


@boards
def test_a_dashboard_can_be_provisioned(board):
    """A stable uid, classic JSON, nothing that belongs to one server or to an export."""
    assert re.fullmatch(r"manometer-[a-z]+", board["uid"])
    assert 39 <= board["schemaVersion"] <= 41
    assert board["editable"] is False
    assert not {"id", "__inputs", "__requires"} & board.keys()
    assert "manometer" in board["tags"]
    assert board["description"].endswith("Generated, do not edit: make mixin.")


def test_no_two_dashboards_share_a_uid_or_title():
    """A link leads to one dashboard."""
    for key in ("uid", "title"):
        assert len({board[key] for board in BOARDS.values()}) == len(BOARDS)


@boards
def test_a_dashboard_links_its_siblings(board):
    """By tag, with the choices and the time kept."""
    [link] = board["links"]
    assert (link["type"], link["tags"], link["includeVars"], link["keepTime"]) == (
        "dashboards",
        ["manometer"],
        True,
        True,
    )


@boards
def test_variables_are_what_the_panels_need(board, promql):
    """Data source, job and instance first; each other one is used, follows those before it, and can be all."""
    names = [variable["name"] for variable in board["templating"]["list"]]
    assert names[:3] == ["datasource", "job", "instance"]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([board["panels"], board["templating"]])))
    assert set(names) <= used
    for variable in board["templating"]["list"][1:]:
        assert (variable["type"], variable["multi"], variable["includeAll"]) == ("query", True, True)
        own = variable["name"] not in ("job", "instance")  # which every series has, Prometheus's own too
        assert (variable.get("allValue"), variable["refresh"]) == (".+" if own else None, 2)
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
        assert label in (variable["name"], f"{variable['name']}_name")
        [(_, matchers)] = promql.selectors(selector)
        assert all(covers(matchers, each) for each in ("job", "instance")[: names.index(variable["name"]) - 1])


@boards
def test_panels_have_their_own_ids_and_places(board):
    """No id twice, nothing on top of anything, nothing beyond the edge."""
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@boards
def test_a_dashboard_marks_restarts_and_alerts(board, promql):
    """What happened when a line bent."""
    found = {each["name"]: promql.selectors(each["expr"])[0] for each in board["annotations"]["list"]}
    assert found["Restarts"][0] == "process_uptime_seconds"
    assert found["Firing alerts"][0] == "ALERTS"
    assert all(covers(matchers, label) for _, matchers in found.values() for label in ("job", "instance"))


@panels
def test_a_panel_says_what_it_is_and_what_to_do(panel):
    """A title of its own, a description of some length, a unit, thresholds, the chosen data source."""
    assert panel["title"]
    assert len(panel["description"]) > 60
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["calcs"] == ["mean", "max", "lastNotNull"]


@boards
def test_panel_titles_are_their_own(board):
    """A panel can be spoken of by its title."""
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)


@targets
def test_every_selector_follows_the_choices(panel, target, promql, known_names):
    """Job and instance, and the subject's own variable; a recorded threshold belongs to no target."""
    for name, matchers in promql.selectors(target["expr"]):
        assert name in known_names
        if name.startswith("manometer:threshold:"):
            continue
        assert covers(matchers, "job"), name
        assert covers(matchers, "instance"), name
        for subject in CHOICES - {"job", "instance"}:
            if f"{subject}_name" in labels_of(name):
                assert covers(matchers, f"{subject}_name"), name


@targets
def test_a_query_uses_known_variables_and_a_rate_its_interval(panel, target):
    """Whoever runs the queries outside Grafana fills in these and no others."""
    assert set(re.findall(r"\$\{?(\w+)", target["expr"])) <= VARIABLES
    for window in re.findall(r"(?:rate|increase)\([^\[]*\[([^\]]+)\]", target["expr"]):
        assert window == "$__rate_interval"


@targets
def test_a_legend_shows_labels_that_the_query_keeps(panel, target, promql):
    """A label that an aggregation dropped would show as an empty name."""
    shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    kept = set()
    for node in promql.nodes(target["expr"]):
        if type(node).__name__ == "AggregateExpr":
            kept |= set(node.modifier.labels if node.modifier else ())
    if not kept:
        kept = {"job", "instance"}
    assert target["legendFormat"]
    assert shown <= kept


@targets
def test_a_latency_query_shows_exemplars_and_never_nan(panel, target):
    """A quantile of no events is NaN, which would stretch the axis and break the legend's mean."""
    if "histogram_quantile" in target["expr"]:
        assert target["exemplar"] is True
        assert "> 0" in target["expr"]
        assert panel["fieldConfig"]["defaults"]["unit"] == "s"
    if re.search(r"\n/ ", target["expr"]):
        assert DROPS_ON_ZERO.search(target["expr"])


def test_the_line_in_a_panel_is_the_one_that_the_alert_draws():
    """Thresholds by name, each of an alert that there is."""
    recorded = {
        (rule["record"], rule["labels"]["alert"])
        for group in rules.files(Thresholds())["meta"]["groups"]
        for rule in group["rules"]
        if rule.get("record", "").startswith("manometer:threshold:")
    }
    drawn = {
        found
        for _, _, target in TARGETS
        for found in re.findall(r'(manometer:threshold:\w+)\{alert="(\w+)"\}', target["expr"])
    }
    assert drawn
    assert drawn <= recorded


def test_targets_up_is_red_when_one_is_down():
    """However many others are up."""
    [up] = [panel for _, panel in PANELS if panel["title"] == "Targets up"]
    assert up["targets"][0]["expr"].startswith("avg(up{")
    assert up["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {"color": "green", "value": 1}


def test_other_thresholds_reach_the_dashboards():
    """Colours and grades change with the configuration."""
    board = json.loads(dashboards.files(parse({"runtime": {"memory_bytes": 500_000_000}}))["overview"])
    [memory] = [panel for panel in board["panels"] if panel["title"] == "Memory"]
    assert memory["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {"color": "red", "value": 500_000_000}


def test_grades_cover_every_score_without_a_gap():
    """Each band starts where the next one ends."""
    [grade] = [panel for _, panel in PANELS if panel["title"] == "Grade"]
    bands = [mapping["options"] for mapping in grade["fieldConfig"]["defaults"]["mappings"]]
    assert bands[0]["to"] is None
    assert bands[-1]["from"] == 0
    assert all(upper["from"] == lower["to"] for upper, lower in itertools.pairwise(bands))
    assert [band["result"]["text"] for band in bands] == list(Thresholds().score.grades)


def labels_of(name):
    """The labels of a series, by the catalogue, or what holds those of a recorded name: its level."""
    if ":" in name:
        return name.split(":")[0]
    if name in FOREIGN:
        return ()
    metric = re.sub("_(bucket|sum|count)$", "", name)
    return next(row.labels for rows in SUBJECTS.values() for row in rows if row.prometheus_name == metric)
