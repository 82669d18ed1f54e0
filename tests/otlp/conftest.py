"""A receiver of what is sent over OTLP, and tracing that a test may set up."""

import logging
from contextlib import closing

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.util._once import Once

from manometer.otlp import spans
from manometer.tracing import spans as tracing
from manometer.tracing.latest import NOWHERE, latest
from otlp_receiver import Receiver


@pytest.fixture
def receiver():
    """A receiver that is there."""
    with closing(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def provider_of_its_own(monkeypatch):
    """OpenTelemetry allows for one tracer provider in a process: what a test sets is taken back behind it."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setattr(spans, "_switch", spans._Switch())
    monkeypatch.setattr(tracing, "_recording", (None, None))
    monkeypatch.setattr(latest, "pair", NOWHERE)
    logger = logging.getLogger(trace_exporter.__name__)
    monkeypatch.setattr(logger, "filters", logger.filters[:])
