"""What a model has seen of pictures, in numbers and in a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_models import linear_model

from residua.data.seen_pictures import SeenPictures
from residua.insight.evaluation.exposure import Exposure, exposure


def test_pictures_are_counted(rng):
    images = rng.integers(0, 256, (9, 8, 6, 3), np.uint8)
    model = linear_model(np.zeros((8, 6, 3, 2)))
    assert exposure(model, images).to_dict() == {"trained_on": None, "chosen_by": None, "left_out": {}}
    model = replace(model, seen=SeenPictures.of(images[:4], images[4:5]))
    found = exposure(model, images, {"yak": 2})
    assert found.to_dict() == {"trained_on": 4, "chosen_by": 1, "left_out": {"yak": 2}}


def test_the_line():
    assert Exposure(5, 0, 0).line is None
    assert Exposure(5).line is None
    end = "among those that the model was trained on: the figures say less than they seem to"
    assert Exposure(5, 5, 0).line == f"all 5 pictures are {end}"
    assert Exposure(1, 1, 0).line == f"the one picture is {end}"
    assert Exposure(1200, 1, 0).line == f"1 of these 1,200 pictures is {end}"
    assert (
        "3 of these 5 pictures are among those by which its best epoch was chosen" in Exposure(5, 0, 3).line
    )
    assert ", and 1 of these 5 pictures is among those by which" in Exposure(5, 2, 1).line
