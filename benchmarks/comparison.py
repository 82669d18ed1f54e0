"""Whether a run is worse than the committed one by more than the noise of both."""

from collections.abc import Iterator, Mapping, Sequence

from measure import Row
from runs import Run

__all__ = ["verdict"]

_SPREADS = 3.3
"""Spreads by which the middle ones of five repeats may differ from five others, by chance alone.

A run has some 75 rows. Where all of them only vary at random, this calls one of them worse in one run of twenty:
`tests/benchmarks/test_comparison.py` tries that.
"""

_ALIKE = 0.02
"""Share of the committed figure that is no difference, however little the repeats vary: no two machines are alike."""


def verdict(run: Run, committed: Sequence[Run]) -> int:
    """Print the rows, the targets and the comparison; 1 where a target is missed or a row is worse."""
    for row in run.rows:
        print(line(row))
    met = [row.met for row in run.rows]
    like = next((each for each in committed if each.made_with == run.made_with), None)
    worse = []
    if like is None:
        for each in committed:
            print(f"not compared with a committed run: {', '.join(_differences(run.made_with, each.made_with))}")
        print("no committed run was made with what this one was made with, so there are only the targets to hold")
    else:
        worse = [*worse_rows(run.rows, like.rows)]
        for row, before, noise in worse:
            print(f"WORSE: {row.name}: {row.figure:,.4g} {row.unit}, committed {before:,.4g}, noise {noise:,.2g}")
        if worse:
            print("where that is worth it, RECORD=1 keeps the new figures as those to compare with")
        new = {row.name for row in run.rows} - {row.name for row in like.rows}
        for name in sorted(new):
            print(f"not in the committed run: {name}")
        print(f"{len(run.rows) - len(new)} rows compared with the committed run, {len(worse)} worse")
    print(f"{met.count(True)} targets met, {met.count(False)} missed")
    return 1 if worse or False in met else 0


def worse_rows(rows: Sequence[Row], committed: Sequence[Row]) -> Iterator[tuple[Row, float, float]]:
    """The rows that are worse than the committed ones of their names, with that figure and the noise of both."""
    by_name = {row.name: row for row in committed}
    for row in rows:
        before = by_name.get(row.name)
        if before is None:
            continue
        pooled = ((row.spread**2 + before.spread**2) / 2) ** 0.5
        noise = max(_SPREADS * pooled, _ALIKE * abs(before.figure))
        change = row.figure - before.figure
        if (change if row.at_most else -change) > noise:
            yield row, before.figure, noise


def line(row: Row) -> str:
    """A row for people."""
    met = {None: "", True: "met", False: "MISSED"}[row.met]
    bound = "" if row.target is None else f"{'at most' if row.at_most else 'at least'} {row.target:,g}"
    figure = f"{row.figure:>12,.3f} ± {row.spread:<10,.2g}"
    return f"{row.name:<66} {figure} {row.unit:<9} {bound:<16} {met:<7} {row.detail}"


def _differences(here: Mapping[str, object], there: Mapping[str, object]) -> Iterator[str]:
    for name in dict.fromkeys([*here, *there]):
        if here.get(name) != there.get(name):
            yield f"{name} is {here.get(name)} here and {there.get(name, 'not told')} there"
