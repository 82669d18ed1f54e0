"""The linter of dashboards: what holds for each of them, panel by panel, query by query."""

import itertools
import json
import re

import pytest

from manometer import catalogue
from manometer.catalogue import SUBJECTS, database
from manometer.errors import ConfigError
from manometer.mixin import dashboards, rules
from manometer.mixin.dashboards import meaning, panel
from manometer.mixin.promql import FOREIGN
from manometer.mixin.thresholds import Thresholds, parse

BOARDS = {name: json.loads(text) for name, text in dashboards.files(Thresholds()).items()}
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
TARGETS = [(f"{name}/{panel['title']}", panel, target) for name, panel in PANELS for target in panel["targets"]]
VARIABLES = {each["name"] for board in BOARDS.values() for each in board["templating"]["list"]} - {"datasource"}
VARIABLES |= {"__rate_interval", "__range", "__interval"}
DROPS_ON_ZERO = re.compile(r"> 0|or vector\(0\)")
NEVER_ZERO = re.compile(r"/ (?:max by \(.*\) \(system_|sum by \(.*\) \(rate\(system_cpu_time)")  # what a host has

boards = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
panels = pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{n}/{p['title']}" for n, p in PANELS]
)
targets = pytest.mark.parametrize(
    ("panel", "target"), [each[1:] for each in TARGETS], ids=[f"{where}-{t['refId']}" for where, _, t in TARGETS]
)
UNSEEN = {row.name: "another name of a metric of `pool.*`, which has its panels" for row in database.SPECS}
"""The metrics that are on no panel, each with the reason."""


TARGETS_OF = ("job", "instance")
SERVICES_OF = ("service", "objective")


def first_choices(name):
    """What a dashboard is about: targets, or objectives, which are measured over all targets of a service."""
    return SERVICES_OF if name == "slo" else TARGETS_OF


def choices(board):
    """The variable by the label that it chooses a value of."""
    found = {}
    for variable in board["templating"]["list"][1:]:
        found[re.fullmatch(r"label_values\(.*, (\w+)\)", variable["query"])[1]] = variable["name"]
    return found


def covers(matchers, label, variable):
    """Whether a selector follows the variable: its value, or that and nothing, for series that lack the label."""
    operator, value = matchers.get(label, ("", ""))
    return operator == "=~" and value in (f"${variable}", f"${variable}|")


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
    first = first_choices(board["uid"].removeprefix("manometer-"))
    assert names[:3] == ["datasource", *first]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([board["panels"], board["templating"]])))
    assert set(names) <= used
    for variable in board["templating"]["list"][1:]:
        assert (variable["type"], variable["multi"], variable["includeAll"]) == ("query", True, True)
        assert (variable["allValue"], variable["refresh"]) == (".+", 2)
        [(_, matchers)] = promql.selectors(re.fullmatch(r"label_values\((.*), \w+\)", variable["query"])[1])
        before = first[: names.index(variable["name"]) - 1]
        assert all(covers(matchers, each, each) for each in before)


@boards
def test_rows_ask_the_same_questions_in_the_same_order(board):
    """Whoever knows one dashboard finds his way in each."""
    asked = [each["title"] for each in board["panels"] if each["type"] == "row"]
    order = (panel.WELL, panel.PRESSURE, panel.SINCE, panel.COMING)
    assert asked[0] == panel.WELL
    assert asked == [each for each in order if each in asked]


def test_every_metric_is_on_a_panel(promql):
    """Or in the short list of those that are not, and that have no business there once they are."""
    read = {name for _, _, target in TARGETS for name, _ in promql.selectors(target["expr"])}
    seen = {re.sub("_(bucket|sum|count)$", "", name) for name in read} | read
    rows = [row for rows in SUBJECTS.values() for row in rows]
    assert {row.name for row in rows if row.prometheus_name not in seen} == UNSEEN.keys()


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
    first = first_choices(board["uid"].removeprefix("manometer-"))
    if first == TARGETS_OF:  # a service has many, which restart at any time
        assert found["Restarts"][0] == "process_uptime_seconds"
    assert found["Firing alerts"][0] == "ALERTS"
    assert all(covers(matchers, label, label) for _, matchers in found.values() for label in first)


COLORS = {meaning.GOOD, meaning.WORRY, meaning.BAD, meaning.NOTE, meaning.QUIET, "light-green", "yellow"}
"""Those with a meaning; the last two are between good and a worry, for grades."""


@panels
def test_a_colour_has_one_meaning(panel):
    """Thresholds, states and series take theirs from one list."""
    config = panel["fieldConfig"]
    told = [step["color"] for step in config["defaults"]["thresholds"]["steps"]]
    for mapping in config["defaults"].get("mappings", []):
        options = mapping["options"]
        results = [options["result"]] if "result" in options else options.values()
        told += [each["color"] for each in results]
    for override in config["overrides"]:
        told += [each["value"]["fixedColor"] for each in override["properties"] if each["id"] == "color"]
    assert set(told) <= COLORS


@panels
def test_the_picture_fits_the_question(panel):
    """A heatmap of buckets, a timeline with named states, bars from nothing on, a table that can be sorted."""
    expressions = [target["expr"] for target in panel["targets"]]
    instant = [target.get("instant", False) for target in panel["targets"]]
    formats = {target.get("format", "time_series") for target in panel["targets"]}
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] == "heatmap":
        assert formats == {"heatmap"}
        assert all("_bucket{" in each and "sum by (le)" in each for each in expressions)
    elif panel["type"] == "state-timeline":
        assert len(defaults["mappings"][0]["options"]) >= 2
    elif panel["type"] == "bargauge":
        assert all(instant)
        assert defaults["min"] == 0
        assert ("max" in defaults) == (defaults["unit"] == "percentunit")
    elif panel["type"] == "table":
        assert all(instant)
        assert formats == {"table"}
        titles = panel["transformations"][1]["options"]["renameByName"].values()
        assert panel["options"]["sortBy"][0]["displayName"] in titles
    else:
        assert panel["type"] in ("timeseries", "stat")
        assert formats == {"time_series"}


@panels
def test_the_lines_of_a_table_fit_together(panel, promql):
    """Each of its queries keeps the labels that are its first columns, and no other."""
    if panel["type"] != "table":
        return
    named = panel["transformations"][1]["options"]["renameByName"]
    keys = {name for name in named if not name.startswith("Value")}
    assert len(named) == len(keys) + len(panel["targets"])
    for target in panel["targets"]:
        kept = [set(labels) - {"le"} for labels in promql.aggregated(target["expr"])]
        assert kept
        assert all(each == keys or each == {"job"} for each in kept), target["expr"]


@panels
def test_a_link_leads_to_a_dashboard_with_the_choices_and_the_time(panel):
    """To one that is there."""
    for link in panel.get("links", []):
        assert link["url"].endswith("?${__url_time_range}&${__all_variables}")
        assert link["url"].split("?")[0].removeprefix("/d/manometer-") in BOARDS


def test_runbooks_are_linked_where_they_have_a_url():
    """From the panels that draw an alert's line, and from the names of the alerts that fire."""
    made = dashboards.files(parse({"runbooks": "https://example.org/runbooks/"}))
    linked = {link["url"] for text in made.values() for each in all_panels(text) for link in each.get("links", [])}
    assert "https://example.org/runbooks/PoolSaturated.md" in linked
    [table] = [each for each in all_panels(made["overview"]) if each["title"] == "Firing alerts"]
    assert "https://example.org/runbooks/${__value.raw}.md" in json.dumps(table["fieldConfig"]["overrides"])


def all_panels(text):
    """The panels of a dashboard's JSON, without the rows."""
    return [each for each in json.loads(text)["panels"] if each["type"] != "row"]


def test_a_cluster_and_matchers_narrow_every_query(promql):
    """A choice of the cluster comes first; variables and marks are narrowed too."""
    made = dashboards.files(parse({"dashboards": {"cluster_label": "region", "matchers": 'env="prod",team!="x"'}}))
    for name, text in made.items():
        board = json.loads(text)
        cluster, first, *others = board["templating"]["list"][1:]
        carried = "service_objective:slo_target:ratio" if name == "slo" else "manometer_series"
        of_cluster = f'{carried}{{region=~"$cluster",env="prod",team!="x"}}'
        assert cluster["query"] == f'label_values({carried}{{env="prod",team!="x"}}, region)'
        assert first["query"] == f"label_values({of_cluster}, {first_choices(name)[0]})"
        expressions = [target["expr"] for each in all_panels(text) for target in each["targets"]]
        expressions += [each["expr"] for each in board["annotations"]["list"]]
        expressions += [re.fullmatch(r"label_values\((.*), \w+\)", each["query"])[1] for each in others]
        for expr in expressions:
            for name, matchers in promql.selectors(expr):
                if not name.startswith("manometer:threshold:"):
                    assert matchers["region"] == ("=~", "$cluster")
                    assert matchers["env"] == ("=", "prod")
                    assert matchers["team"] == ("!=", "x")


@pytest.mark.parametrize(
    ("key", "value"), [("cluster_label", "a-b"), ("matchers", "env=prod"), ("matchers", 'a="b"}')]
)
def test_what_cannot_stand_in_a_selector_is_refused(key, value):
    """Before it breaks every panel."""
    with pytest.raises(ConfigError, match=f"dashboards.{key} is '{value}'"):
        parse({"dashboards": {key: value}})


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


@pytest.mark.parametrize("name", BOARDS)
def test_every_selector_follows_the_choices(name, promql, known_names):
    """Job and instance, and the dashboard's own variables; a recorded threshold belongs to no target."""
    chosen = choices(BOARDS[name])
    for _, made in (each for each in PANELS if each[0] == name):
        for expr in (target["expr"] for target in made["targets"]):
            for series, matchers in promql.selectors(expr):
                assert series in known_names
                followed = [] if series.startswith("manometer:threshold:") else chosen.items()
                for label, variable in followed:
                    assert label not in labels_of(series) or covers(matchers, label, variable), (expr, label)


@targets
def test_a_query_uses_known_variables_and_a_rate_its_interval(panel, target):
    """Whoever runs the queries outside Grafana fills in these and no others."""
    assert set(re.findall(r"\$\{?(\w+)", target["expr"])) <= VARIABLES
    for window in re.findall(r"(?:rate|increase)\([^\[]*\[([^\]]+)\]", target["expr"]):
        assert window == ("$__range" if "time shown" in panel["description"] else "$__rate_interval")


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
    assert shown <= kept | ({"severity"} if "label_replace" in target["expr"] else set())


@targets
def test_a_latency_query_shows_exemplars_and_never_nan(panel, target):
    """A quantile of no events is NaN, which would stretch the axis and break the legend's mean."""
    distribution = "histogram_quantile" in target["expr"] or panel["type"] == "heatmap"
    of_stages = "engine_stage_duration_seconds_bucket" in target["expr"]  # nothing else has a span
    assert target.get("exemplar", False) == (distribution and of_stages and panel["type"] != "table")
    if "histogram_quantile" in target["expr"]:
        assert "> 0" in target["expr"]
        assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"] == "s"
    if re.search(r"\n/ ", target["expr"]) and not NEVER_ZERO.search(target["expr"]):
        assert DROPS_ON_ZERO.search(target["expr"])


@targets
def test_a_thousand_targets_are_no_thousand_lines(panel, target, promql):
    """A graph adds targets up, or shows those that stand out; a table may list them all."""
    if panel["type"] == "table" or re.match(r"(topk|bottomk)\(", target["expr"]):
        return
    kept = [set(labels) for labels in promql.aggregated(target["expr"])]
    assert kept
    assert not any("instance" in labels for labels in kept)


@targets
def test_a_matcher_is_a_pattern_only_where_it_has_to_be(panel, target):
    """A name is compared faster than a pattern, and says what is meant."""
    for _, value in re.findall(r"(=~|!~)\"([^\"]*)\"", target["expr"]):
        assert re.search(r"[$|.*+?\[(]", value), value


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
    assert "and on (job) group by (job) (last_over_time(process_uptime_seconds{" in up["targets"][0]["expr"]
    assert up["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {"color": "green", "value": 1}


def test_other_thresholds_reach_the_dashboards():
    """Colours and grades change with the configuration."""
    board = json.loads(dashboards.files(parse({"runtime": {"memory_bytes": 500_000_000}}))["overview"])
    [memory] = [each for each in board["panels"] if each["title"] == "Memory"]
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
    """The labels that each of the series has; a recorded name's are its level, and others have a target's."""
    every = {label for rows in SUBJECTS.values() for row in rows for label in row.labels}
    every |= {*TARGETS_OF, *SERVICES_OF}
    if ":" in name:
        level = name.split(":")[0]
        return {label for label in every if re.search(rf"(^|_){label}(_|$)", level)}
    if name in FOREIGN:
        return {"job", "instance"}
    metric = re.sub("_(bucket|sum|count)$", "", name)
    rows = {row.prometheus_name: row for rows in SUBJECTS.values() for row in rows}
    row = rows.get(name, rows.get(metric))
    return {"job", "instance", *row.labels} - {*map(catalogue.label, row.optional)}
