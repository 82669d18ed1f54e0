"""Forked children, for the tests: each has until the deadline to end, and none outlives its test."""

import os
import signal
import sys
import traceback
import warnings
from contextlib import contextmanager

from waiting import until


@contextmanager
def forked(work):
    """Run a function in a forked child, beside the block; the child's process id. The child has to end well.

    A traceback goes to standard error: of an exception, or of all threads of a child that hangs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.12 a fork beside threads warns
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    ended = None
    try:
        yield child
        ended = until(lambda: (found := os.waitpid(child, os.WNOHANG))[0] and found, lambda: "the child hangs")
    finally:
        if ended is None:
            os.kill(child, signal.SIGABRT)  # pytest has faulthandler write a traceback at this signal
            os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


def in_child(work):
    """Run a function in a forked child, and wait for the child's end."""
    with forked(work):
        pass
