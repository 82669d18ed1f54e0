"""What systemd is told of a service of `Type=notify`: that it is ready, reloads, stops, and is alive.

The protocol is that of sd_notify(3) and sd_watchdog_enabled(3): datagrams to the socket that NOTIFY_SOCKET names.
Anything else that starts programs and sets that variable is told too.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

__all__ = ["Systemd"]

_log = logging.getLogger("manometer")


class Systemd:
    """Whoever started this process and wants to be told, or nobody.

    environ: NOTIFY_SOCKET, a path, or a name in Linux's abstract namespace with @ in front; WATCHDOG_USEC, and
    WATCHDOG_PID where another process than this is watched.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._failing = False
        self._pid = os.getpid()
        self.patience = None if self._address is None else _patience(environ)
        """Seconds without a sign of life after which this process counts as hanging; None for any number."""

    def ready(self) -> None:
        """All has started, or is loaded anew."""
        self._tell("READY=1", "STATUS=ready")

    def reloading(self) -> None:
        """The settings are being read anew, until `ready`."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, reason: str) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", f"STATUS=stopping: {reason}")

    def alive(self) -> None:
        """Nothing hangs."""
        self._tell("WATCHDOG=1")

    def ailing(self, reason: str) -> None:
        """Something hangs: said in the place of a sign of life."""
        self._tell(f"STATUS={reason}")

    def _tell(self, *lines: str) -> None:
        if self._address is None or os.getpid() != self._pid:  # a forked child is not the service
            return
        text = "\n".join(" ".join(line.split()) for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(1.0)  # seconds; should nobody read, the program goes on
                sender.sendto(text.encode(errors="replace"), self._address)
        except OSError as error:
            if not self._failing:
                _log.warning("systemd cannot be told %r: %s", lines[0], error)
            self._failing = True
        else:
            self._failing = False


def _address(name: str) -> str | None:
    if not name.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return None
    return f"\0{name[1:]}" if name.startswith("@") else name


def _patience(environ: Mapping[str, str]) -> float | None:
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit() and int(usec)) or pid not in ("", str(os.getpid())):
        return None
    return int(usec) / 1e6
