"""Break programs in every known way, and see who is told of what: `python -m fault_matrix --pace 5`.

--pace 1 has the rules as they are shipped, and takes half an hour, and three for what takes hours. The exit status is
1 where something is told that should not be, or is not told that should.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fault_matrix.expectations import FAULTS, THRESHOLDS
from fault_matrix.matrix import complaints, run
from fault_matrix.pace import Pace
from fault_matrix.record import PATH, table

_LASTS = 12 * 60  # seconds of production: the burn of a budget takes eleven minutes to be told
_LASTS_LONG = 3 * 3600 + 1200
_PATIENT = {"timing": {"TargetDown": {"hold": "15m"}}}
"""Where the clock goes fastest, a minute is two seconds, in which a full machine may not get round to an answer."""


def main():
    """Run what is asked for; 1 where there is anything to complain of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", help="names of faults; all by default")
    parser.add_argument("--pace", type=float, default=5.0, help="how many times as fast as shipped (default: 5)")
    parser.add_argument(
        "--record", action="store_true", help="keep the outcome for docs/alerts.md where all is right"
    )
    given = parser.parse_args()
    faults = [each for each in FAULTS if not given.faults or each.name in given.faults]
    with tempfile.TemporaryDirectory(prefix="manometer-faults-") as folder:
        seen = _run(Path(folder), faults, given.pace)
    told = {"python": platform.python_version(), "pace": given.pace}
    outcome = {fault.name: seen[fault.name].json() | told for fault in faults}
    wrong = [each for fault in faults for each in complaints(fault, seen[fault.name])]
    if any(each.startswith("well:") for each in wrong):
        wrong.append("where a program without a fault raises alerts, the machine is too full to tell anything")
    if given.record and not wrong:
        before = json.loads(PATH.read_text()) if PATH.exists() else {}
        PATH.write_text(json.dumps(before | outcome, indent=2) + "\n")
    sys.stdout.write(f"{table(outcome)}\n")
    sys.stdout.writelines(f"{each}\n" for each in wrong)
    return bool(wrong)


def _run(folder, faults, pace):
    """Those of the same pace and threshold together, and all at the same time."""
    began, root = time.monotonic(), Path(__file__).resolve().parents[3]

    def say(text):
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {text}\n")

    def of(group):
        times, cores = group
        (own := folder / f"{times}-{cores}").mkdir()
        members = [fault for fault in faults if (fault.pace, fault.cpu_cores) == group]
        lasts = _LASTS if times == 1 else _LASTS_LONG
        runtime = THRESHOLDS["runtime"] | ({} if cores is None else {"cpu_cores": cores})
        thresholds = {"runtime": runtime} | ({} if times == 1 else _PATIENT)
        return run(root, own, members, Pace(pace * times), lasts, thresholds=thresholds, say=say)

    groups = {(fault.pace, fault.cpu_cores) for fault in faults}
    with ThreadPoolExecutor() as executor:
        return {name: each for seen in executor.map(of, groups) for name, each in seen.items()}


if __name__ == "__main__":
    sys.exit(main())
