"""Runs the `alluse` command as `python -m alluse`."""

from alluse.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
