"""The version that is installed, as the distribution's metadata has it."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("manometer")
except PackageNotFoundError:  # the source is on the path, and nothing is installed
    __version__ = "unknown"
