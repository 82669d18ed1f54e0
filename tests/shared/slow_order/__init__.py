"""A slow order, followed from its alert to its trace to its log line, on real servers: `python -m slow_order`."""
