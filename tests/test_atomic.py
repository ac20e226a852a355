from pathlib import Path

import pytest

from leadmodel.atomic import atomic_write


@pytest.mark.parametrize("sync", [False, True])
def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("old")
    with atomic_write(path, sync=sync) as staged:
        staged.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), atomic_write(path) as staged:
        staged.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
