"""A text file for the textfile collector of node_exporter, and for whatever else reads Prometheus's text format."""

from pathlib import Path

from manometer.whole_file import write_whole

__all__ = ["write"]


def write(path: str, figures: bytes) -> None:
    """Put the figures in the place of the file: who reads it meanwhile sees the old ones or these. Raises OSError."""
    write_whole(Path(path), figures, 0o644)  # node_exporter is another user
