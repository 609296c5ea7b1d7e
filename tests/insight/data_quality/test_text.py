"""What is wrong with a data set, in words and as a picture: many classes are summed up."""

from __future__ import annotations

import published
import pytest

from residua.api import check_data
from residua.insight.data_quality.text import findings_text

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_many_classes_are_summed_up(tmp_path):
    for number in range(45):
        for copy in range(4):
            published.paint(tmp_path / "d" / f"class {number:02d}" / f"{copy}.png", 10 * number + copy)
    found, path = check_data(tmp_path / "d", say=lambda _: None, size=8, output=str(tmp_path / "x.png"))
    text = findings_text(found)
    assert "... 35 classes of sizes between" in text
    assert len(text.splitlines()) < 30
    assert path.exists()
