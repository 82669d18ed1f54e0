"""Walks over a cache that is a mapping: its views, which read each entry and look none up."""

from collections.abc import ItemsView, Iterator, ValuesView
from typing import Any

from manometer.instrumentation.cache.amid import Amid
from manometer.instrumentation.graft import Methods

__all__ = ["walks"]


def walks(plain: Any, passing: Amid) -> Methods:
    """`items` and `values`, which read each entry as the caller comes to it."""
    read = passing.within(plain.__getitem__)

    class Items(ItemsView[Any, Any]):
        __slots__ = ()
        __contains__ = passing.within(ItemsView.__contains__)

        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            cache = _cache_of(self)
            for key in cache:
                yield key, read(cache, key)

    class Values(ValuesView[Any]):
        __slots__ = ()
        __contains__ = passing.within(ValuesView.__contains__)

        def __iter__(self) -> Iterator[Any]:
            cache = _cache_of(self)
            for key in cache:
                yield read(cache, key)

    plain_items, plain_values = passing.within(plain.items), passing.within(plain.values)

    def items(self: Any) -> Any:
        view = plain_items(self)
        return Items(self) if type(view) is ItemsView else view

    def values(self: Any) -> Any:
        view = plain_values(self)
        return Values(self) if type(view) is ValuesView else view

    Items.__name__, Values.__name__ = ItemsView.__name__, ValuesView.__name__  # shown by their repr
    return {"items": items, "values": values}


def _cache_of(view: Any) -> Any:
    return view._mapping
