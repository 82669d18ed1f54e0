"""What was collected as OTLP metrics, and the thread that pushes it."""
