"""Where the tests find what is not in the repository: real problems and golden numbers.

Each is looked for where its environment variable says, then in a folder beside the repository;
tests that need it skip where it is absent.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("REPRO_DATA_DIR", ROOT.parent / "shared/data"))
GOLDEN = Path(os.environ.get("REPRO_GOLDEN", ROOT.parent / "shared/golden/visible.json"))

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="no real data: set REPRO_DATA_DIR to their folder"
)
needs_golden = pytest.mark.skipif(
    not GOLDEN.is_file(), reason="no golden numbers: set REPRO_GOLDEN to the file"
)
