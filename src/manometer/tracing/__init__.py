"""The spans of stages, and how they leave the program over OTLP."""
