"""JSON Lines: appended safely, written whole, errors with file and line."""

import pytest

from repro.files import jsonl


def test_rows_survive_a_failed_write(tmp_path):
    file = tmp_path / "deep/rows.jsonl"
    jsonl.write(file, [{"text": "é\n数"}])
    jsonl.append(file, [{"n": 1}, {"n": 2}])

    def rows():
        yield {"n": 2}
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        jsonl.write(file, rows())
    assert jsonl.read(file) == [{"text": "é\n数"}, {"n": 1}, {"n": 2}]
