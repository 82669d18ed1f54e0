"""Several processes shown as one: each writes its figures to a file of one directory, and any can add them up."""

from manometer.exporter.multiprocess.together import onlooker, together
from manometer.exporter.multiprocess.worker import Worker, flush

__all__ = ["Worker", "flush", "onlooker", "together"]
