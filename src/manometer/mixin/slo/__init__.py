"""Services and what they promise: read from files that people write."""
