"""An ONNX file of an earlier residua: it answers as its model does, and today's has the same graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx_files import judge, onnx, run

from residua.data import Pictures
from residua.data.batches import Batches
from residua.deploy.onnx.network import to_onnx
from residua.models.model_file import load_model
from residua.training.inference import predict_probabilities

GOLDEN = Path(__file__).parents[2] / "golden" / "runs"


def test_the_file_answers_as_its_model(engine, rng):
    content, model = (GOLDEN / "calibrated.onnx").read_bytes(), load_model(GOLDEN / "calibrated.safetensors")
    judge(content)
    x = rng.integers(0, 256, (5, *model.preprocessing.stored, model.preprocessing.channels), np.uint8)
    batches = Batches(Pictures(x, np.zeros(5, np.int64), tuple("abcde")), model.preprocessing, None, 8)
    expected = predict_probabilities(engine, *model.frozen(), batches).probabilities
    assert np.abs(run(content, images=x)[0] - expected).max() <= 1e-5


def test_the_graph_of_today_is_the_same():
    """Where one is changed on purpose, write the file anew: people compare what they deployed."""
    before = onnx.load(GOLDEN / "calibrated.onnx").graph
    after = onnx.load_from_string(to_onnx(load_model(GOLDEN / "calibrated.safetensors")).content).graph
    assert list(before.node) == list(after.node)
    assert (list(before.input), list(before.output)) == (list(after.input), list(after.output))
    assert [one.name for one in before.initializer] == [one.name for one in after.initializer]
    # Constants that normalisations were folded into are added up in another order elsewhere.
    for one, other in zip(before.initializer, after.initializer, strict=True):
        first, second = onnx.numpy_helper.to_array(one), onnx.numpy_helper.to_array(other)
        np.testing.assert_allclose(first, second, rtol=1e-6, err_msg=one.name)
