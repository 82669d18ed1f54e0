"""A signal handler or a finalizer that comes amid something, wherever it may."""

import sys

__all__ = ["interrupted"]


def interrupted(step, handler, at):
    """Call the handler where CPython does: as a function begins, or a call has ended; whether there are so many."""
    seen, profiled = 0, sys.getprofile()

    def strike(_frame, event, _argument):
        nonlocal seen
        seen += event != "c_call"
        if event != "c_call" and seen == at:
            sys.setprofile(None)
            handler()

    sys.setprofile(strike)
    try:
        step()
    finally:
        sys.setprofile(profiled)
    return seen >= at
