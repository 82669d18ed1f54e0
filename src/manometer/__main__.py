"""`python -m manometer` is the `manometer` command."""

import sys

try:
    from manometer.cli import main

    status = main()
except KeyboardInterrupt:  # amid the import
    status = 130
sys.exit(status)
