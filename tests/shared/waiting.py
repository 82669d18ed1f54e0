"""Waiting with a deadline, for the tests: a test that waits in vain fails and says for what."""

import select
import time

DEADLINE = 180
"""Seconds that a test waits for something; long, because a busy machine is no fault of the code."""


def until(condition, said=lambda: "it did not come to pass"):
    """Wait until the condition holds, and return what it gave.

    said: returns the failure's text; it is called at the deadline.
    """
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, said()
        time.sleep(0.005)
    return found


def joined(*workers):
    """Wait until these threads or processes have ended."""
    for worker in workers:
        worker.join(DEADLINE)
        assert not worker.is_alive(), f"{worker.name} hangs"


def readable(descriptor):
    """Whether there is something to read from the file descriptor before the deadline."""
    poll = select.poll()  # unlike `select.select`, it takes any number that a descriptor may have
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(DEADLINE * 1000))
