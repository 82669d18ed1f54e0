"""The process that leaks finds the line that leaks: what the runbook of MemoryLeak shows."""

import re

import pytest

from leak_report import report_of_leak

pytestmark = pytest.mark.servers


def test_the_report_names_the_line_that_leaks(tmp_path):
    """First, as it grows most, with what it keeps."""
    text = report_of_leak(tmp_path)
    assert text.startswith("What takes more memory: alluse, process ")
    first = re.search(
        r"^1\. ([\d.]+) MB more in \d+ blocks more, [\d.]+ MB in all\n +(\S+):\d+  (.*)$", text, re.MULTILINE
    )
    grown, file, source = first.groups()
    assert float(grown) > 0
    assert (file, source.partition("(")[0]) == ("alluse/sabotage.py", "self._leaked.append")
