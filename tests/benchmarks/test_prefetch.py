"""What is loaded ahead: the recorded run is this code's, and learning pays."""

import json


def test_the_recorded_run_is_of_this_code_and_learning_beats_read_ahead(benchmark):
    """The clock is the program's own, so that the counts are the same everywhere: python benchmarks/prefetch.py."""
    prefetch = benchmark("prefetch")
    recorded = json.loads(prefetch.RECORDED.read_text())
    assert {policy: prefetch.measured(policy) for policy in prefetch.POLICIES} == recorded
    nothing, ahead, learned = (recorded[policy] for policy in prefetch.POLICIES)
    assert learned["waits"] < ahead["waits"] / 10 < nothing["waits"]
    assert learned["used"] > 0.95 * (learned["used"] + learned["unused"])
