from pathlib import Path

import pytest

from hybrid_seg_ros.report.whole_file import write_whole


def test_a_file_that_cannot_be_written_leaves_the_one_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    write_whole(file, "größer")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "x" * 100_000 + "\ud800")
    assert file.read_text(encoding="utf-8") == "größer"
    write_whole(file, "newer")
    assert file.read_text(encoding="utf-8") == "newer"
    assert list(file.parent.iterdir()) == [file]
