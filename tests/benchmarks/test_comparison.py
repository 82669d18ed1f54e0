"""A run fails where it is worse than the committed one by more than the noise of both, and nowhere else."""

import json
import random

import pytest

MADE_WITH = {"python": "3.11.2", "cpu": "fast"}


@pytest.fixture
def compared(benchmark, capsys):
    """The status of a run compared with a committed one, and the lines that it prints below its rows."""
    run, verdict = benchmark("runs").Run, benchmark("comparison").verdict

    def compare(rows, committed, made_with=MADE_WITH):
        status = verdict(run(made_with, rows), [run(MADE_WITH, committed)])
        return status, capsys.readouterr().out.splitlines()[len(rows) :]

    return compare


@pytest.mark.parametrize(
    ("figures", "status", "last"),
    [((1, 2), 0, "2 targets met, 0 missed"), ((1, 4), 1, "1 targets met, 1 missed")],
)
def test_a_missed_target_fails_the_run(benchmark, compared, figures, status, last):
    """A figure without a target is no verdict."""
    row = benchmark("measure").Row
    rows = [row(str(figure), "peer", figure, "ratio", target=3.0) for figure in figures]
    assert compared([*rows, row("shown", "peer", 9, "s")], rows) == (
        status,
        ["not in the committed run: shown", "2 rows compared with the committed run, 0 worse", last],
    )


@pytest.mark.parametrize(
    ("committed", "figure", "at_most", "spread", "is_worse"),
    [
        (0.2, 0.3, True, 0.01, True),
        (0.2, 0.1, True, 0.01, False),  # better
        (0.9, 0.8, False, 0.01, True),
        (0.9, 1.0, False, 0.01, False),
        (0.2, 0.3, True, 0.05, False),  # within the noise
        (0.2, 0.203, True, 0.0, False),  # no noise was seen, but no two machines are alike
        (0.2, 0.205, True, 0.0, True),
    ],
)
def test_worse_is_what_is_worse_by_more_than_the_noise(
    benchmark, compared, committed, figure, at_most, spread, is_worse
):
    """Whichever direction is the worse one."""
    row = benchmark("measure").Row
    before, now = (row("speed", "peer", each, "ratio", None, at_most, "", spread) for each in (committed, figure))
    status, told = compared([now], [before])
    assert status == is_worse
    assert [line for line in told if line.startswith("WORSE: speed: ")] == told[: int(is_worse)]
    assert f"1 rows compared with the committed run, {int(is_worse)} worse" in told


def test_a_run_made_with_something_else_is_not_compared(benchmark, compared):
    """It says what is another, and holds the targets alone."""
    row = benchmark("measure").Row
    rows = [row("speed", "peer", each, "ratio", target=3.0) for each in (2.0, 1.0)]
    assert compared(rows[:1], rows[1:], made_with={"python": "3.11.2", "cpu": "slow", "build": "-O2"}) == (
        0,
        [
            "not compared with a committed run: "
            "cpu is slow here and fast there, build is -O2 here and not told there",
            "no committed run was made with what this one was made with, so there are only the targets to hold",
            "1 targets met, 0 missed",
        ],
    )


@pytest.mark.parametrize("outliers", [0.0, 0.1])
def test_chance_alone_fails_one_run_in_twenty_at_most(benchmark, outliers):
    """With as many rows and repeats as a run has, of normal noise, and of noise with outliers."""
    row, repeated = benchmark("measure").Row, benchmark("runs").repeated
    repeats, worse_rows = benchmark("runs").REPEATS, benchmark("comparison").worse_rows
    chance = random.Random(7)

    def figure():
        return 10 + chance.gauss(0, 1) * (5 if chance.random() < outliers else 1)

    def run():
        return repeated([[row(str(name), "", figure(), "ratio") for name in range(75)] for _ in range(repeats)])

    runs = 300
    assert sum(any(worse_rows(run(), run())) for _ in range(runs)) <= runs / 20


def test_repeats_become_their_middle_row(benchmark):
    """With the detail that belongs to it, and the spread of all."""
    row, repeated = benchmark("measure").Row, benchmark("runs").repeated
    repeats = [[row("a", "", each, "s", detail=str(each)), row("b", "", 1.0, "s")] for each in (3.0, 1.0, 2.0)]
    assert repeated(repeats) == [row("a", "", 2.0, "s", detail="2.0", spread=1.0), row("b", "", 1.0, "s")]


def test_a_run_is_kept_in_full(benchmark):
    """And read again from what JSON makes of it."""
    run = benchmark("runs").Run(MADE_WITH, [benchmark("measure").Row("a", "b", 1.0, "s", 2.0, False, "c", 0.1)])
    kept = json.dumps(run.content())
    assert json.loads(kept)["rows"][0]["met"] is False
    assert benchmark("runs").Run.of(json.loads(kept)) == run


def test_only_a_full_run_can_be_recorded(benchmark, monkeypatch, tmp_path, capsys):
    """A part of it would drop the rows of the others; without being asked, nothing is written."""
    bench, row = benchmark("run"), benchmark("measure").Row
    path = tmp_path / "results.json"
    path.write_text(json.dumps(MADE_WITH | {"rows": []}))
    monkeypatch.setattr(bench, "PATH", path)
    monkeypatch.setattr(bench, "measured", lambda suites: [[row(suites[0], "", 1.0, "s")]] * 2)
    with pytest.raises(SystemExit):
        bench.main(["--record", "meters"])
    assert bench.main(["meters"]) == bench.main([]) == 0
    assert json.loads(path.read_text())["rows"] == []
    assert bench.main(["--record"]) == 0
    assert [each["name"] for each in json.loads(path.read_text())["rows"]] == ["meters"]
    assert "1 rows compared with the committed run, 0 worse" in capsys.readouterr().out
