"""How many connections are kept: a share of the descriptors that the process may have."""

import sys

import pytest

from manometer.serving.places import Places, places

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("descriptors", "each"), [(1024, 128), (256, 64), (1 << 20, 512), (resource.RLIM_INFINITY, 512)]
)
def test_an_eighth_for_each_kind(descriptors, each, monkeypatch):
    """But some, and not too many."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert places() == Places(each, each)


def test_some_where_nobody_knows(monkeypatch):
    """As on Windows."""
    monkeypatch.setitem(sys.modules, "resource", None)
    assert places() == Places(64, 64)
