"""`python -m repro`."""

import gc
import sys

from repro.commands.cli import main

sys.modules["sklearn"] = None  # else transformers imports it, for 2 s and for no use of ours
gc.set_threshold(50_000)  # at 700, the default, it searches all that is imported, for a second
sys.exit(main())
