"""Log lines through a real OTLP collector, over HTTP and over gRPC."""

import logging
from contextlib import closing

import pytest

from manometer.otlp.destination import GRPC, Destination
from manometer.otlp.lines.lines import Lines
from otlp_collector import collecting
from waiting import until

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("protocol", ["http/protobuf", GRPC])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_real_collector_takes_the_lines(collector, tmp_path, figures, protocol, compression):
    """It writes down what it gets: the text, the severity, what was bound, and whose it is."""
    with collecting(collector, tmp_path, "logs") as (http, grpc, output):
        url = grpc if protocol == GRPC else f"{http}/v1/logs"
        destination = Destination(url, protocol=protocol, compression=compression)
        with closing(Lines(destination, "shop", figures.registry)) as lines:
            logging.getLogger("orders").warning("placed %d", 7, extra={"pool": "main"})
            assert lines.send()
        assert figures.all("manometer_otlp_log_records_total", "manometer_otlp_log_record_outcome") == {"ok": 1}
        until(lambda: "placed 7" in output.read_text(), output.read_text)
        told = output.read_text()
        assert all(word in told for word in ("shop", "orders", "warning", "pool", "main")), told
