"""prometheus-client's files of several processes, which it opens and never closes."""

from contextlib import contextmanager
from unittest.mock import patch

from prometheus_client import values

__all__ = ["closed_files"]


@contextmanager
def closed_files():
    """Close at the end what was opened meanwhile: a process may have only so many files open."""
    opened = []

    class Noted(values.MmapedDict):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            opened.append(self)

    with patch.object(values, "MmapedDict", Noted):
        try:
            yield
        finally:
            for each in opened:
                each.close()
