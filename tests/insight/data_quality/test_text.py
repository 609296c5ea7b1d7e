"""What is wrong with a data set, in words: what stands against training, and what to do."""

from __future__ import annotations

import published
import pytest
from small_findings import findings

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


def test_nothing_stands_against_a_sound_data_set():
    text = findings_text(findings())
    assert text.startswith("some/pics: Pictures\n")
    assert "Sizes: all 5x6" in text
    assert "Exact copies (equal pixels at 5x6): none" in text
    assert text.endswith("Nothing stands against training on it.")


def test_leaks_damage_and_two_labels_are_named_with_what_to_do():
    text = findings_text(
        findings([(0, 8), (1, 10)], bad=("it is damaged: x.png",), torn=("anna",), groups=3, group="driver")
    )
    assert "Leak: of 4 test pictures 2 (50.00 %) are copies of some in train or validation" in text
    assert "Labels: 1 pairs of copies have two labels." in text
    assert "Groups: 1 of 3 drivers lie in several splits (anna)" in text
    assert "Unreadable pictures are left out of training." in text
    few = findings_text(findings(counts={"train": (100, 2), "validation": (1, 1), "test": (1, 1)}))
    assert "Imbalance: blue has 50.0 times the training pictures of red." in few
