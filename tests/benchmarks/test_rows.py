"""The benchmarks tell the truth about their figures, and fail where a target is missed."""

import json

import pytest


def test_caching_is_a_miss_over_a_hit(benchmark):
    """A knob that says how many hits there are to a miss moves neither: 1 ms a load, 10 microseconds a lookup."""
    demo = benchmark("demo")
    for calls in (100, 10_000):
        spent = 4 * 0.001 + calls * 0.00001
        ok = '{engine_stage_name="classify_week",engine_stage_outcome="ok"}'
        figures = demo.Figures(
            'engine_stage_duration_seconds_sum{engine_stage_name="classify_week",engine_stage_outcome="error"} 9\n'
            f"engine_stage_duration_seconds_sum{ok} {spent}\n"
            f"engine_stage_duration_seconds_count{ok} {calls}\n"
            'cache_load_duration_seconds_sum{cache_name="week_classes",cache_load_outcome="ok"} 0.004\n'
            'cache_load_duration_seconds_count{cache_name="week_classes",cache_load_outcome="ok"} 4\n'
        )
        row = demo.caching(figures)
        assert row.figure == pytest.approx(101)
        assert row.detail == f"1.010 ms against 0.0100 ms, from 4 misses in {calls:,} calls"


def test_a_table_has_the_rows_that_are_asked_for(benchmark):
    """In that order; one that the last run did not have is an error that names it, and not a shorter table."""
    results = benchmark("results")
    lines = results.table(["import manometer", "counter increment, bound child"]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| import manometer", "| counter increment, bound child"]
    with pytest.raises(SystemExit, match="has no row 'import nothing'; there are "):
        results.table(["import nothing"])


def test_each_row_has_a_name_of_its_own(benchmark):
    """A name such as "the same" does not say what was measured, and a table could not ask for the row."""
    names = [row["name"] for row in json.loads(benchmark("results").PATH.read_text())["rows"]]
    assert sorted(names) == sorted(set(names))


def test_a_siege_is_told_as_it_went(benchmark, monkeypatch, tmp_path):
    """What the own exporter's clients saw, and what the program lost against the turns of the other one."""
    siege = benchmark("siege")

    def work(per_second):
        return {"per_second": per_second, "per_cpu_second": 2 * per_second, "of_a_core": 0.5, "others": 0.01}

    turns = [(work(100.0), work(less)) for less in (90.0, 94.0, 98.0)]
    scrape = {"took": [1.0, 2.0, 3.0], "failed": ["HTTPException(503)"]}
    monkeypatch.setattr(siege, "PATH", tmp_path / "siege.json")
    found = siege._summary(turns, {"slow": {"opened": 14, "dropped": 10}, "scrape": scrape})
    siege.PATH.write_text(json.dumps(found))
    lines = siege.table().splitlines()
    assert lines[2:9] == [
        "| scrapes | 3 answered, 1 failed |",
        "| time that a scrape took | median 2.00 s, longest 3.00 s, of 10 s |",
        "| connections of slow clients | 14 opened, 10 of them dropped |",
        "| share of a core that the exporter took | 1.0% ± 0.0%, half from 1.0% to 1.0% |",
        "| share of a core that the program had | 50.0% ± 0.0%, half from 50.0% to 50.0% |",
        "| work of the program in a second, less by | 6.0% ± 2.3%, half from 2.0% to 10.0% |",
        "| work of the program in a second of its CPU time, less by | 6.0% ± 2.3%, half from 2.0% to 10.0% |",
    ]
