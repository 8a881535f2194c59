"""One torch thread, and which tests pytest's parallel workers run together."""

import os

import pytest

# Two threads that wait for each other on a busy machine are far slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# These folders share what takes minutes to make, or look at all processes of the machine.
TOGETHER = {"workflow", "verify"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of the workflow, which take longest."""
    items.sort(key=lambda item: item.path.parent.name != "workflow")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep a file's tests in one worker, and those of the folders that belong together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFileOrFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            folder = file.split("/")[-2]
            return folder if folder in TOGETHER else file

    return ByFileOrFolder(config, log)
