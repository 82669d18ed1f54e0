"""Where in its life a program is: it starts, it is ready, it stops."""

from enum import Enum

__all__ = ["Lifecycle", "Phase"]


class Phase(Enum):
    """What the program says of itself."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class Lifecycle:
    """What the program said last. One that has said nothing is ready.

        lifecycle.starting()  # /startupz and /readyz answer 503
        lifecycle.ready()     # both answer 200, where the checks of their groups pass
        lifecycle.stopping()  # /readyz answers 503, and /startupz stays as it was

    Each call only sets a value, so a signal handler may make it. A forked child goes on in its parent's phase.

    drain_time: seconds, the setting of the Manometer that runs on the registry; None where none runs.
    """

    def __init__(self) -> None:
        # Two values, each written by one call alone: a signal handler that stops the program amid `ready()` wins.
        self._has_started = True
        self._is_stopping = False
        self.drain_time: float | None = None

    @property
    def phase(self) -> Phase:
        """The phase that the program is in."""
        if self._is_stopping:
            return Phase.STOPPING
        return Phase.READY if self._has_started else Phase.STARTING

    @property
    def has_started(self) -> bool:
        """Whether the program does not say that it is starting; one that stops has started, if it ever was ready."""
        return self._has_started

    def starting(self) -> None:
        """The program begins, or begins anew after it stopped."""
        self._has_started = self._is_stopping = False

    def ready(self) -> None:
        """The program has started. In one that stops, this changes nothing."""
        self._has_started = True

    def stopping(self) -> None:
        """The program takes no more work; only `starting()` ends that."""
        self._is_stopping = True
