"""Calls of the system that never wait, made without giving the interpreter's lock away where that can be.

Python gives it away around each such call, and beside a thread that computes without a pause it gets it back after
five milliseconds: thousands of times what the call takes. A client costs three calls, so a hundred clients a second
would be all that a server could do. On Linux the same functions of the C library are called with the lock held.
"""

import errno
import os
import socket
import sys
from contextlib import suppress
from typing import Any

__all__ = ["accept", "close", "receive", "send"]

_c: Any = None
if sys.platform == "linux" and sys.implementation.name == "cpython":
    # Whatever keeps ctypes from its work, such as a policy of the system: Python's own functions do the same.
    with suppress(Exception):
        import ctypes

        _functions = ctypes.PyDLL(None, use_errno=True)
        _functions.accept4.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
        for _each in (_functions.recv, _functions.send):
            _each.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
            _each.restype = ctypes.c_ssize_t
        _functions.close.argtypes = (ctypes.c_int,)
        _c = _functions

_ADDRESS = 128
"""Bytes of the largest address of a socket, struct sockaddr_storage."""
_SENT_AT_MOST = 1 << 17
"""Bytes that are copied in a moment, some tens of microseconds."""


def accept(listening: socket.socket) -> tuple[socket.socket, str | None]:
    """A connection that waits at a socket that does not block, and will not block either; and its client's address.

    That is None by a Unix socket. Raises OSError, a BlockingIOError where none waits.
    """
    if _c is None:
        client, address = listening.accept()
        client.setblocking(False)
        return client, str(address[0]) if isinstance(address, tuple) else None
    peer, length = ctypes.create_string_buffer(_ADDRESS), ctypes.c_uint32(_ADDRESS)
    flags = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    number = _c.accept4(listening.fileno(), peer, ctypes.byref(length), flags)
    if number < 0:
        raise _error()
    try:
        client = socket.socket(listening.family, listening.type, listening.proto, fileno=number)
    except BaseException:
        _c.close(number)
        raise
    return client, _host(peer.raw)


def receive(client: socket.socket, at_most: int) -> bytes:
    """What has come, as `recv` of a socket that does not block; raises OSError, a BlockingIOError for nothing."""
    if _c is None:
        return client.recv(at_most)
    into = ctypes.create_string_buffer(at_most)
    length = _c.recv(client.fileno(), into, at_most, socket.MSG_DONTWAIT)
    if length < 0:
        raise _error()
    return ctypes.string_at(into, length)


def send(client: socket.socket, data: bytes, start: int = 0) -> int:
    """How many of the bytes from `start` on the system takes now; raises OSError, a BlockingIOError for none."""
    if _c is None:
        return client.send(memoryview(data)[start:])
    at = (ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0) + start
    flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
    length = _c.send(client.fileno(), at, min(len(data) - start, _SENT_AT_MOST), flags)
    if length < 0:
        raise _error()
    return int(length)


def close(client: socket.socket) -> None:
    """Close it, if it is open: what it has not sent, the system still sends."""
    if _c is None:
        client.close()
    elif (number := client.detach()) >= 0:
        _c.close(number)


def _error() -> OSError:
    code = ctypes.get_errno() or errno.EIO
    return OSError(code, os.strerror(code))


def _host(address: bytes) -> str | None:
    """Of a struct sockaddr of Linux: the family in the machine's order, then what that family has."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, address[4:8])
    return socket.inet_ntop(family, address[8:24]) if family == socket.AF_INET6 else None
