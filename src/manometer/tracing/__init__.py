"""The spans of stages."""
