"""A plugin of pytest: a mutant that changes a committed file of the mixin is noticed before tests are collected.

It compares what `test_render.py` and `test_tables.py` compare, in a small part of the time that pytest needs.
"""

import os
from pathlib import Path


def pytest_addoption():
    """The first that pytest calls."""
    if "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", "") and not _up_to_date(Path.cwd()):
        os._exit(1)


def _up_to_date(root):
    from manometer.mixin import output, render
    from manometer.mixin.tables import alerts_table, metrics_table
    from manometer.mixin.thresholds import Thresholds

    try:
        return (
            not output.stale(render.files(Thresholds()), root)
            and f"\n{metrics_table()}\n" in (root / "docs/metrics.md").read_text()
            and f"\n{alerts_table(runbooks='runbooks')}\n" in (root / "docs/alerts.md").read_text()
        )
    except Exception:
        return False
