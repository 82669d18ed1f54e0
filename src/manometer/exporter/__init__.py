"""How figures leave the program: Prometheus's formats over HTTP, spans over OTLP."""
