"""How the engine's service is told to end."""

import subprocess
import sys

from waiting import DEADLINE

STRUCK = """
import signal, sys
from alluse import service
service._TICK = 0.01
for at in range(1, 60):
    seen = 0

    def trace(frame, event, argument):
        global seen
        seen += event == "line"
        if event == "line" and seen == at:
            signal.raise_signal(signal.SIGINT)
        return trace

    with service.stopped_by_signals() as until:
        sys.settrace(trace)
        for _ in until(0.03):
            pass
        sys.settrace(None)
print("ended")
"""


def test_a_signal_may_come_at_any_line_of_the_wait():
    """Amid whatever the main thread does; its handler waits for no lock that the wait may hold."""
    done = subprocess.run(
        [sys.executable, "-c", STRUCK], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")
