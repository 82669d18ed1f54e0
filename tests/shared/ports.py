"""A port for a server that cannot be asked which one it took."""

import socket
from contextlib import contextmanager


@contextmanager
def reserved_port():
    """A port of the loopback that nobody but who is told of it gets, until the end of the block.

    It is bound and nobody listens on it: the kernel gives it out no more, neither for a connection nor for port 0,
    and lets a program listen on it that allows an address to be used again, which every server does.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
