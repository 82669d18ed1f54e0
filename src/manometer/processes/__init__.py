"""Several processes shown as one: each writes its figures to a file of one directory, and any can add them up."""

from manometer.errors import ConfigError

try:
    import fcntl  # noqa: F401 - said here, once for all the files that need it
except ImportError:
    raise ConfigError(
        "processes_dir needs locks on files (fcntl), which this system does not have; leave it unset, "
        "and have each process served by itself"
    ) from None

from manometer.processes import lifetime  # noqa: F401 - it hooks forks and ends
from manometer.processes.collector import group_registry, onlooker
from manometer.processes.worker import Worker

__all__ = ["Worker", "group_registry", "onlooker"]
