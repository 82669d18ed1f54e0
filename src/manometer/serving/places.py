"""How many connections are kept that nothing is done for."""

from typing import NamedTuple

__all__ = ["Places", "places"]

_SHARE = 8
_LEAST, _MOST = 64, 512


class Places(NamedTuple):
    """held: those that wait for their clients; waiting: those whose requests wait for a thread.

    Each takes a file descriptor and a kilobyte or two.
    """

    held: int
    waiting: int


def places() -> Places:
    """For each kind an eighth of the descriptors that the process may have: the rest is the program's.

    Many, because a client that is turned away comes again at once, and that costs more than to keep it.
    """
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
    except ImportError:  # as on Windows
        return Places(_LEAST, _LEAST)
    descriptors, _ = getrlimit(RLIMIT_NOFILE)
    share = _MOST if descriptors == RLIM_INFINITY else max(_LEAST, min(descriptors // _SHARE, _MOST))
    return Places(share, share)
