"""`python -m repro`."""

import gc
import sys

from repro.commands.cli import main

# As if it were not installed: transformers would import it, which takes 2 s, for a way of sampling
# that no command has.
sys.modules["sklearn"] = None
gc.set_threshold(50_000)  # of 700 objects, with which it goes through all imports again and again
sys.exit(main())
