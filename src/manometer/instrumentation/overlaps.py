"""Overlapping stays of one object: a pool may lend what is already out, a queue may hold an object twice."""

import weakref
from collections.abc import Callable

__all__ = ["Overlaps"]

_AT_MOST = 100_000  # overlapping uses that are remembered; where several resources have some, each has its share

Use = tuple[float, Callable[[], object] | None]


class Overlaps:
    """The uses of each resource beyond its first: since when they last, by the resource's id.

    Which use of a resource a return ends cannot be told: the latest is taken. The sum and the count of
    the durations are right whichever it is. No lock is taken, because a finalizer may return a resource.
    """

    def __init__(self) -> None:
        self.uses: dict[int, list[Use]] = {}

    def began(self, key: int, resource: object, now: float) -> None:
        """Another use of a resource that is out has begun; None for a resource that always comes back."""
        try:
            alive: Callable[[], object] | None = weakref.ref(resource)
        except TypeError:
            alive = None
        self._put(key, (now, alive))

    def ended(self, key: int) -> float | None:
        """When the use began that ends now; None where the resource has one use at most."""
        uses = self.uses.get(key)
        if uses is None:
            return None
        since = None
        while since is None and (use := _pop(uses)) is not None:
            began, alive = use
            if alive is None or alive() is not None:  # else the object of that use died, and its id is another's
                since = began
        if not uses:
            self._drop(key)
        return since

    def _put(self, key: int, use: Use) -> None:
        while True:
            uses = self.uses.setdefault(key, [])
            if len(uses) >= max(1, _AT_MOST // (len(self.uses) or 1)):
                del uses[: (len(uses) + 1) // 2]
            uses.append(use)
            if self.uses.get(key) is uses:
                return
            found = _pop(uses)  # another thread dropped the list as empty: put the use into the next one
            if found is None:
                return
            use = found

    def _drop(self, key: int) -> None:
        """Forget an empty list; what another thread appends in the same moment is put back."""
        uses = self.uses.pop(key, None)
        while uses and (use := _pop(uses)) is not None:
            self._put(key, use)


def _pop(uses: list[Use]) -> Use | None:
    try:
        return uses.pop()
    except IndexError:
        return None
