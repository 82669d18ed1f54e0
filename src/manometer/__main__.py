"""`python -m manometer` is the `manometer` command."""

import sys

from manometer.cli import main

sys.exit(main())
