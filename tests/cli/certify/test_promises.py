"""A file of promises: what it asks, and each of its mistakes by line."""

import pytest

from manometer.cli.certify.promises import Promise, promises_of
from manometer.cli.certify.quantities import number, shown
from manometer.config.mistakes import SettingsError
from manometer.errors import ConfigError


@pytest.fixture
def promised(tmp_path):
    """Reads promises from the text of a file."""

    def read(text):
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return promises_of(path)

    return read


def test_a_measure_becomes_a_query_with_the_job_the_labels_and_the_window(promised):
    """And the bound a number in the base unit."""
    found = promised("""
service: Shop
job: shop
window: 2m
promises:
  - name: most lookups hit
    measure: cache_hit_ratio
    where: {cache_name: prices}
    at_least: 95 %
""")
    assert found.service == "Shop"
    (promise,) = found.promises
    where = 'job="shop",cache_name="prices"'
    by = "sum by (job, instance, cache_name)"
    hits = f'{by} (rate(cache_requests_total{{{where},cache_request_type="hit"}}[2m]))'
    every = f"{by} (rate(cache_requests_total{{{where}}}[2m]))"
    assert promise == Promise("most lookups hit", f"({hits} or 0 * {every})\n/ ({every} > 0)", "1", None, 0.95)


def test_a_query_of_ones_own_stays_as_it_is(promised):
    """Its bounds are plain numbers."""
    (promise,) = promised("promises: [{name: few wait, query: max(waiting), at_most: 3, at_least: 1}]").promises
    assert promise == Promise("few wait", "max(waiting)", "", 3.0, 1.0)
    assert [promise.holds(value) for value in (0.9, 1, 3, 3.1)] == [False, True, True, False]


def test_a_promise_may_be_of_the_worst_moment_and_of_a_window_of_its_own(promised):
    """Such as the errors before a recovery."""
    (promise,) = promised("""
promises:
  - {name: it was up, measure: up_ratio, window: 1m, peak_over: 10m, at_least: 1}
""").promises
    assert promise.query == "max_over_time((avg_over_time(up[1m]))[10m:5s])"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("service: a", "promises is no list in {path}; write at least one: - name, measure, at_most"),
        ("promises: []", "promises is no list in file {path}, line 1; write at least one: - name, measure, at_most"),
        ("promises: [3]", "a promise is 3 in file {path}, line 1; it takes name, measure, at_most"),
        (
            "promises:\n  - {}",
            "a promise has both measure and query, or neither in file {path}, line 1; give one of them",
        ),
        (
            "promise: 1\npromises: [{name: a, query: b, at_most: 1}]",
            "unknown key 'promise' in file {path}, line 1; did you mean promises?",
        ),
        (
            "promises:\n  - {name: a, measure: cache_hits_ratio, at_most: 1}",
            "unknown measure 'cache_hits_ratio' in file {path}, line 2; did you mean cache_hit_ratio?",
        ),
        (
            "promises:\n  - name: a\n    measure: cache_hit_ratio\n    where: {cache: b}\n    at_most: 1",
            "unknown label 'cache' in file {path}, line 4; did you mean cache_name?",
        ),
        (
            "promises: [{name: a, measure: up_ratio, where: {job: 'a\"b'}, at_most: 1}]",
            "job is 'a\"b' in file {path}, line 1; it takes a value, or =~ and a pattern",
        ),
        (
            "promises: [{name: a, measure: up_ratio, where: all, at_most: 1}]",
            "where is no mapping in file {path}, line 1; it takes job, instance",
        ),
        (
            "promises: [{name: a, measure: memory_bytes, at_most: 3 pounds}]",
            "at_most is '3 pounds' in file {path}, line 1; it takes a number of bytes, or such as 100 MB",
        ),
        (
            "promises: [{name: a, measure: up_ratio}]",
            "a promise has no bound in file {path}, line 1; give at_most or at_least",
        ),
        (
            "promises: [{measure: up_ratio, at_most: 1}]",
            "a promise has no name in file {path}, line 1; say in a few words what is promised",
        ),
        (
            "window: soon\npromises: [{name: a, query: b, at_most: 1}]",
            "window is 'soon' in file {path}, line 1; it takes one number and one unit, such as 30s or 5m",
        ),
        (
            "promises: [{name: a, query: b, window: 5m, at_most: 1}]",
            "window stands beside a query in file {path}, line 1; put it into the query",
        ),
        (
            "promises: [{name: a, name: c, query: b, at_most: 1}]",
            "name stands more than once in file {path}, line 1; keep one of them",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(promised, tmp_path, text, mistake):
    """And what was meant, or what it takes."""
    with pytest.raises(SettingsError) as refused:
        promised(text)
    assert mistake.format(path=tmp_path / "shop.yaml") in refused.value.mistakes


def test_all_mistakes_of_a_file_are_told(promised):
    """One after the other."""
    with pytest.raises(SettingsError) as refused:
        promised("promises:\n  - {name: a, measure: up_ration, at_most: 1}\n  - {name: b, query: c}")
    assert len(refused.value.mistakes) == 2


@pytest.mark.parametrize(
    ("kind", "mistake"),
    [
        (
            "measure: stage_maen_seconds",
            "unknown measure 'stage_maen_seconds' in file {path}, line 1; did you mean stage_mean_seconds?",
        ),
        ("where: {}", "a promise has both measure and query, or neither in file {path}, line 1; give one of them"),
    ],
)
def test_a_bound_of_no_known_measure_is_no_second_mistake(promised, tmp_path, kind, mistake):
    """The measure tells which units its bound takes."""
    with pytest.raises(SettingsError) as refused:
        promised(f"promises: [{{name: a, {kind}, at_most: 50 ms}}]")
    assert refused.value.mistakes == (mistake.format(path=tmp_path / "shop.yaml"),)


def test_a_bound_of_a_query_has_no_unit(promised, tmp_path):
    """What the query gives, no measure tells."""
    with pytest.raises(SettingsError) as refused:
        promised("promises: [{name: a, query: b, at_most: 50 ms}]")
    path = tmp_path / "shop.yaml"
    assert refused.value.mistakes == (f"at_most is '50 ms' in file {path}, line 1; it takes a number",)


def test_a_file_that_is_none_is_named(tmp_path):
    """In the words of promises."""
    with pytest.raises(ConfigError, match=r"cannot read the file of promises .*none.yaml: No such file"):
        promises_of(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(ConfigError, match="holds a list; write lines such as 'service: shop'"):
        promises_of(tmp_path / "list.yaml")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        *[("15.5 ms", "s", 0.0155), ("30us", "s", 3e-5), ("2 min", "s", 120.0), (0.1, "s", 0.1)],
        *[("100 MB", "By", 1e8), ("1 KiB", "By", 1024.0), ("95 %", "1", 0.95), (1, "1", 1.0)],
        *[("95", "1", None), ("3 MB", "s", None), ("", "s", None), (True, "1", None), (None, "1", None)],
        *[("fast", "s", None), (float("inf"), "s", None), (33481, "{lookup}", 33481.0)],
    ],
)
def test_quantities_are_read_as_people_write_them(text, unit, value):
    """By the units of the measure alone."""
    assert number(text, unit) == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        *[(0.0155, "s", "15.5 ms"), (3e-5, "s", "30 us"), (2.5, "s", "2.5 s"), (0.0, "s", "0 us")],
        *[(1e8, "By", "100 MB"), (2e9, "By", "2 GB"), (0.9512, "1", "95.12 %"), (33481.2, "{lookup}", "33,481")],
        (228.0, "{figure}", "228"),
    ],
)
def test_quantities_are_shown_in_the_unit_that_suits_them(value, unit, text):
    """Four figures."""
    assert shown(value, unit) == text
