"""The table of layouts, and folders that have none of them."""

from __future__ import annotations

import published
import pytest

from residua.data import DATASETS, recognise
from residua.data.sources.layouts.table import LAYOUTS

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_every_layout_has_a_card_and_every_card_its_layout():
    cards = [card for card in DATASETS.values() if card.kind == "folder"]
    assert {card.layout for card in cards} == set(LAYOUTS)
    assert all(card.folders and card.page.startswith("http") for card in cards)


def test_an_own_folder_is_taken_for_nobody_else_s(tmp_path):
    for name in ("cat", "dog", "A", "B"):
        for number in range(3):
            published.paint(tmp_path / "pets" / name / f"{number}.png", number)
    assert recognise(tmp_path / "pets") is None
    assert recognise(tmp_path) is None
    split = tmp_path / "subset"  # val/ with folders is what anybody has
    for part in ("train", "val"):
        for wnid in published.WNIDS[:2]:
            published.paint(split / part / wnid / "0.JPEG", 1)
    assert recognise(split) is None
