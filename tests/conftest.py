"""One torch thread: two that wait for each other on a busy machine are far slower than one."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
