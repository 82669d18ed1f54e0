"""Several processes shown as one: each writes its figures to a file of one directory, and any can add them up."""

from manometer.processes.collector import group_registry, onlooker
from manometer.processes.lifetime import flush
from manometer.processes.worker import Worker

__all__ = ["Worker", "flush", "group_registry", "onlooker"]
