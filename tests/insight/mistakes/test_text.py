"""Mistakes in words."""

from __future__ import annotations

from small_predictions import predictions

from residua.insight.mistakes.numbers import find_mistakes
from residua.insight.mistakes.text import mistakes_text

SHARES = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.8, 0.15, 0.05]]


def test_the_worst_the_pairs_and_the_suspects():
    found = find_mistakes(predictions([0, 1, 2], SHARES, ("cat", "dog", "goldfish")))
    text = mistakes_text(found)
    assert text.startswith("data, test split: 1 of 3 wrong (33.33 %)")
    assert "  picture 2   is goldfish   cat 80.0 %   dog 15.0 %" in text
    assert "      1 x goldfish  taken for cat" in text
    assert "suspected label errors:" in text
    assert "learnt their wrong labels by heart" not in text
    trained_on = find_mistakes(predictions([0, 1, 2], SHARES, split="train"))
    assert "learnt their wrong labels by heart" in mistakes_text(trained_on)


def test_no_mistakes_are_said_in_a_line():
    text = mistakes_text(find_mistakes(predictions([0, 1, 0], SHARES)))
    assert text == "data, test split: no mistakes, all 3 pictures are right"
