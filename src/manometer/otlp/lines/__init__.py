"""Log lines as OTLP log records, and the thread that sends them."""
