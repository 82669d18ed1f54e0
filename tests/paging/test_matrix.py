"""Each fault raises its alert and no other, in one page, on a real Prometheus and Alertmanager.

`make faults` tries those too that take long, at a slower pace.
"""

from pathlib import Path

import pytest

from alluse.stack import missing_programs
from fault_matrix.expectations import FAULTS
from fault_matrix.matrix import complaints, run
from fault_matrix.pace import Pace

pytestmark = pytest.mark.servers

PACE = 8
LASTS = 360
TRIALS = 2
TRIED = (
    *("well", "exhausted-pool", "failing-broker", "gunicorn", "gone"),
    *("check", "collector", "retries", "slow-queue"),
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the faults brought about: all of them are there at the same time."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    root, faults = Path(__file__).parents[2], [each for each in FAULTS if each.name in TRIED]
    for _ in range(TRIALS):
        found = run(root, tmp_path_factory.mktemp("faults"), faults, Pace(PACE), LASTS)
        if not found["well"].fired:  # else the machine was too full for a program without a fault, and tells nothing
            break
    return found


@pytest.mark.parametrize("fault", [each for each in FAULTS if each.name in TRIED], ids=lambda fault: fault.name)
def test_a_fault_is_told_of_once_and_by_its_own_alert(seen, fault):
    """Its page or its ticket comes, no other, and its end is told."""
    assert complaints(fault, seen[fault.name]) == []
