"""Steps whose results are read late."""

from __future__ import annotations

import numpy as np

from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.training.full_batches import Given, fill_pictures, fill_up, full_size
from residua.training.under_way import GOING, UnderWay, without_going


def test_results_are_read_so_many_steps_late():
    under_way, read = UnderWay(2), []
    for number in range(5):
        given = under_way.given({"a": 1})
        assert given[GOING] == (number < 3)
        under_way.begun(number, {"finite": number < 2})
        read.append([batch for batch, _ in under_way.finished(everything=False)])
    assert read == [[], [], [0], [1], [2]]
    assert [batch for batch, _ in under_way.finished(everything=True)] == [3, 4]
    assert without_going({"a": 1, GOING: True}) == {"a": 1}


def test_engines_that_wait_for_each_step_are_given_the_state_itself():
    state, under_way = {"a": 1}, UnderWay(0)
    assert under_way.given(state) is state
    under_way.begun("batch", {"finite": True})
    assert len(list(under_way.finished(everything=False))) == 1


def test_batches_are_filled_up_to_the_largest_of_an_epoch():
    pictures = Pictures(np.zeros((17, 8, 8, 1), np.uint8), np.zeros(17, np.int64), tuple(map(str, range(17))))
    shape = Preprocessing(8, 8, 1, (0.5,), (0.5,))
    engine, images = NumpyEngine(), np.ones((3, 2, 2, 1), np.float32)
    assert full_size(Batches(pictures, shape, batch=8), engine.divides) == 8
    assert (
        full_size(Batches(pictures, shape, batch=8, seed=0), engine.divides) == 9
    )  # one joins the batch before
    engine.divides = 4
    assert full_size(Batches(pictures, shape, batch=99), engine.divides) == 20
    labels, share = np.array([1, 2, 3]), np.array([0.5, 0.6, 0.7], np.float32)
    full = fill_up(engine, Given(images, labels, None, (labels, share)), 4, 4 / len(labels))
    assert full.labels.tolist() == [1, 2, 3, -1]
    assert full.mixed[0].tolist() == [1, 2, 3, -1]
    assert full.weights.sum() == 4
    assert full.weights[3] == 0
    assert fill_pictures(engine, images, 3) is images
