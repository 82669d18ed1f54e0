"""How a collection is written: Prometheus's text, OpenMetrics, and protobuf."""
