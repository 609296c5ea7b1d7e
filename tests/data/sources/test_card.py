"""Cards: of somebody's own folder, and what a recipe says of cropping and mirroring."""

from __future__ import annotations

import pytest

from residua.data.sources.card import Recipe, folder_card


def test_a_folder_has_a_card_of_its_size():
    card = folder_card("photos", 48, ("cat", "dog"), 1)
    assert (card.name, card.height, card.width, card.channels) == ("photos", 48, 48, 1)
    assert (card.kind, card.layout, card.classes, card.recipe.crop) == ("folder", "", ("cat", "dog"), 6)


@pytest.mark.parametrize(
    ("crop", "flip", "resized_crop", "result"),
    [
        (None, None, 0.0, (4, True)),
        (None, None, 0.3, (0, True)),  # boxes are cut out anyway
        (2, False, 0.3, (2, False)),
        (0, None, 0.0, (0, True)),
    ],
)
def test_what_is_asked_for_comes_before_the_recipe(crop, flip, resized_crop, result):
    recipe = Recipe("resnet20", width=16, epochs=1, crop=4, flip=True)
    assert recipe.crop_and_flip(crop, flip, resized_crop) == result
