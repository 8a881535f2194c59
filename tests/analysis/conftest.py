"""Fixtures of the tests of tables, claims and figures."""

import pytest
from tests.analysis.worlds import maker


@pytest.fixture
def make_run(tmp_path):
    """What `maker` returns."""
    return maker(tmp_path)
