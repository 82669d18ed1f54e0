"""Bind: what an adapter ties an object to its series with, under the name that the program gave."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from manometer.instrumentation.binding import Binding
from manometer.instrumentation.identity import NONE, Identity
from manometer.instrumentation.subject import Subject

__all__ = ["Bind"]


@dataclass(frozen=True, slots=True)
class Bind:
    """Makes the Binding of one object, for an adapter to set up.

        with bind(cache) as binding:
            hit, miss = CacheEvents(binding).lookups()
            ...

    in_place: the program goes on with the object that it has. Otherwise it takes what the adapter returns, as the
    decorator form does, which may be a drop-in.
    """

    subject: Subject
    identity: Identity
    in_place: bool = True

    @contextmanager
    def __call__(
        self,
        target: object,
        attributes: Identity = NONE,
        *,
        owned: object = None,
        is_drop_in: bool = False,
    ) -> Iterator[Binding]:
        """The Binding, in place with the end of the block; where the block raises, all that it did is undone.

        target: what the program uses, and passes to `Binding.of`; its series go with it. owned: the object that is
        changed, where that is another one. is_drop_in: the program has to use the target in the place of what it has;
        where it never does, a warning says so. attributes: those beyond the object's name.
        Raises BindingError where the object is bound already.
        """
        identity = {**self.identity, **attributes}
        with self.subject.binding(target, identity, owned=owned, is_drop_in=is_drop_in) as binding:
            yield binding
