"""Kill processes, and take the disk and the receiver of spans away: python benchmarks/survival/run.py [--record]

It takes a minute or two, and ends with an error where a total fell, or something is lost that must not be. `--record`
keeps the figures in survived.json, which docs/reliability.md shows. Without root, disk and directory are left out.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "shared"))

from faults import full, unwritable
from kills import killed
from spans import dead_receiver
from survived import PATH, table

from ports import reserved_port

_SEED = 9


def main() -> int:
    """Try everything; print what came of it."""
    run: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    with reserved_port() as port:
        run["kills"] = _in_folder(partial(killed, port=port, seed=_SEED))
        if os.geteuid() == 0:
            run["full"] = _in_folder(full)
            run["unwritable"] = _in_folder(unwritable)
        run["spans"] = dead_receiver(port)
    print(table(run))
    wrong = [
        what for each in run.values() if isinstance(each, dict) for what in each["wrong"] + each.get("falls", [])
    ]
    for what in wrong:
        print(what, file=sys.stderr)
    if "--record" in sys.argv[1:] and not wrong:
        PATH.write_text(json.dumps(run, indent=2) + "\n")
    return 1 if wrong else 0


def _in_folder(attempt: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return attempt(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
