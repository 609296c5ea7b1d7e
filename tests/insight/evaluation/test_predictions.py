"""What figures and reports are made of: a model's answers on a split, with the pictures."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import paint, paint_folder

import residua
from residua.config import EvaluateConfig
from residua.insight.evaluation.predictions import predict_split

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_answers_keep_the_pictures_that_they_are_about(trained, tmp_path):
    model = residua.load_model(trained / "run")
    folder = paint_folder(tmp_path / "others", ("red", "blue"), 3)
    paint(folder / "blue" / "z.png", (250, 20, 20), 5)  # red under blue's name
    answered = predict_split(model, EvaluateConfig(data=str(folder)), print)
    assert answered.title == "others, whole folder"
    assert answered.probabilities.shape == (len(answered), 2) == (7, 2)
    assert answered.pictures.images.shape == (7, 8, 8, 3)
    wrong = np.flatnonzero(answered.chosen != answered.labels)
    assert [answered.pictures.names[place] for place in wrong] == ["blue/z.png"]
    assert answered.classes[answered.labels[wrong[0]]] == "blue"
    assert answered.evaluation.correct == 6
    evaluation = residua.evaluate(model, folder, say=lambda line: None)
    assert evaluation.to_dict() == answered.evaluation.to_dict()
