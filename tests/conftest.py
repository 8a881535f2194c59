"""One torch thread, and which tests one of pytest's parallel workers runs together."""

import os
from collections.abc import Iterator

import pytest

# Two threads that wait for each other on a busy machine are far slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# These folders share what takes minutes to make, or look at all processes of the machine.
TOGETHER = {"workflow", "verify"}


@pytest.hookimpl(wrapper=True)  # so that it comes before the hook in which xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep a file's tests in one worker, for its fixtures; begin with the workflow, the longest."""
    for item in items:
        folder = item.path.parent.name
        group = folder if folder in TOGETHER else f"{folder}/{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.path.parent.name != "workflow")
    return (yield)
