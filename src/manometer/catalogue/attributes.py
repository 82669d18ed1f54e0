"""What each attribute of our own tells, and an example of its values; a convention defines its own attributes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["OURS", "Attribute"]


class Attribute(NamedTuple):
    """An attribute: what it tells in one sentence, and a value that it may have."""

    help: str
    example: str


OURS: Mapping[str, Attribute] = MappingProxyType(
    {
        "asyncio.loop.name": Attribute("Name that the program gave the event loop.", "main"),
        "asyncio.semaphore.name": Attribute("Name that the program gave the semaphore or lock.", "uploads"),
        "asyncio.task.state": Attribute("Whether the task runs or could, or waits for something.", "waiting"),
        "breaker.call.outcome": Attribute("How a call through the breaker ended.", "ok"),
        "breaker.name": Attribute("Name that the program gave the circuit breaker.", "broker"),
        "breaker.state": Attribute("State of the breaker, or the state that it went to.", "open"),
        "cache.eviction.cause": Attribute("Why the entry left the cache.", "capacity"),
        "cache.load.outcome": Attribute("How the load of a missing entry ended.", "ok"),
        "cache.name": Attribute("Name that the program gave the cache.", "prices"),
        "cache.prefetch.outcome": Attribute("What became of an entry that was loaded ahead of demand.", "used"),
        "cache.request.type": Attribute("Whether the lookup found the entry.", "hit"),
        "engine.name": Attribute("Name of the engine that the stage belongs to.", "protocol"),
        "engine.stage.name": Attribute("Name that the program gave the stage.", "classify_week"),
        "engine.stage.outcome": Attribute("How the run of the stage ended.", "ok"),
        "health.check.critical": Attribute("Whether the program is not ready while the check fails.", "true"),
        "health.check.name": Attribute("Name that the program gave the check.", "database"),
        "manometer.collector.name": Attribute("Name of the collector that was read.", "pool"),
        "manometer.config.reload.outcome": Attribute("What became of the settings that were read again.", "refused"),
        "manometer.family.name": Attribute("Name of the metric family at /metrics.", "jobs"),
        "manometer.handover.outcome": Attribute("Whether the last figures got there.", "ok"),
        "manometer.handover.receiver": Attribute("What the last figures were given to.", "textfile"),
        "manometer.log.destination": Attribute("Where the line was to go.", "file"),
        "manometer.otlp.log_record.outcome": Attribute("Whether the backend took the log line.", "ok"),
        "manometer.otlp.point.outcome": Attribute("Whether the backend took the figure.", "ok"),
        "manometer.otlp.span.outcome": Attribute("Whether the backend took the span.", "ok"),
        "manometer.process.file.operation": Attribute("What was done with the file of figures.", "write"),
        "manometer.server.config.reload.outcome": Attribute("Whether the change is in force.", "refused"),
        "manometer.server.refusal.reason": Attribute("What was wrong with the connection or request.", "password"),
        "manometer.server.resource": Attribute("What the exporter's server lacked.", "connection"),
        "manometer.trace.outcome": Attribute("What became of a trace that was wanted afterwards.", "left"),
        "pool.acquisition.source": Attribute("Whether the resource was there or made for the request.", "reused"),
        "pool.kind": Attribute("What the pool holds.", "connection"),
        "pool.name": Attribute("Name that the program gave the pool.", "orders"),
        "pool.resource.state": Attribute("Whether the resource is lent out.", "used"),
        "python.exception.source": Attribute("Where the exception ended.", "thread"),
        "queue.name": Attribute("Name that the program gave the queue.", "inbox"),
        "queue.operation.type": Attribute("Whether an item was put into the queue or taken out.", "put"),
        "retry.attempt.outcome": Attribute("What follows from the attempt.", "retried"),
        "retry.operation.name": Attribute("Name that the program gave the retried operation.", "place_order"),
    }
)
"""Every attribute that no semantic convention has, in the order of their names."""
