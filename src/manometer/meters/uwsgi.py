"""uWSGI: it forks its workers in C, without Python's hooks, and calls one hook of its own in each."""

import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["call_in_workers", "forks_later", "is_heir"]


def call_in_workers(function: Callable[[], None]) -> None:
    """Call the function first in each process that uWSGI forks, before any hook that is there already."""
    uwsgi = _uwsgi()
    before = getattr(uwsgi, "post_fork_hook", None)
    if uwsgi is None or (before is not None and before is _hooks.get(function)):
        return

    def forked() -> None:
        function()
        if before is not None:
            before()

    # Whoever sets the hook after this replaces it, as uWSGI's own decorators do when they are imported.
    _hooks[function] = uwsgi.post_fork_hook = forked


def forks_later() -> bool:
    """Whether this is the process that loads the application, and uWSGI has yet to make workers of it.

    A thread that runs at that fork may hold the interpreter's lock, and no worker would ever get it.
    """
    uwsgi = _uwsgi()
    return uwsgi is not None and uwsgi.worker_id() == 0 and uwsgi.masterpid() in (0, os.getpid())


def is_heir() -> bool:
    """Whether this child goes on with what uWSGI's master has counted: true in one of its children, once.

    The master runs no Python code after it has loaded the application, and so would never tell.
    """
    uwsgi = _uwsgi()
    if uwsgi is None or uwsgi.masterpid() != os.getppid():
        return False
    try:
        # The number may be another file's by now: a server may close what it does not know.
        return os.path.samestat(os.fstat(_token), _pipe) and bool(os.read(_token, 1))
    except OSError:  # another child has read the one byte that there is
        return False


def _uwsgi() -> Any:
    """The module that uWSGI puts into the interpreters that it runs."""
    return sys.modules.get("uwsgi")


def _one_byte() -> int:
    """A pipe's end that one read gets a byte from, in whatever process that is."""
    end, other = os.pipe()
    os.set_blocking(end, False)
    os.write(other, b"1")
    return end


_hooks: dict[Callable[[], None], Callable[[], None]] = {}
if _uwsgi() is not None:
    _token = _one_byte()
    _pipe = os.fstat(_token)
