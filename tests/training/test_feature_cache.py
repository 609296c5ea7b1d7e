"""Features of a frozen base: each computed once, and only those that an epoch asks for."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

import numpy as np
import pytest

from residua.data import Pictures
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import FLIP, RandomNumbers
from residua.engines.numpy.engine import NumpyEngine
from residua.layers import Conv2d
from residua.training.feature_cache import FrozenBase, cache_features

COUNT = 90


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (COUNT, 8, 8, 3), np.uint8)
    pictures = Pictures(images, np.arange(COUNT) % 3, tuple(map(str, range(COUNT))))
    return Batches(pictures, Preprocessing.measure(images), Augment(flip=True), 16, seed=3)


class Counted(Conv2d):
    """A base that remembers how many pictures it was shown."""

    shown: ClassVar[list[int]] = []

    def infer(self, engine, v, x):
        self.shown.append(len(x))
        return super().infer(engine, v, x)


def cached(batches, folder, epochs):
    engine, base = NumpyEngine(1), Counted(3, 4)
    variables = base.init(np.random.default_rng(1))
    Counted.shown.clear()
    prepared = FrozenBase.prepare(engine, base, variables)
    return cache_features(prepared, batches, folder, "train", epochs), base, variables


@pytest.mark.parametrize("epochs", [range(1), range(2, 3), range(0, 3), range(0, 40)])
def test_a_picture_passes_the_base_once_for_each_way_that_it_is_seen(batches, tmp_path, epochs):
    found, base, variables = cached(batches, tmp_path, epochs)
    coins = np.array([RandomNumbers(3, epoch, np.arange(COUNT)).coins(FLIP) for epoch in epochs])
    ways = coins.any(axis=0).astype(int) + (~coins).any(axis=0)
    assert sum(Counted.shown) == ways.sum()
    assert sum(Counted.shown) == COUNT if len(epochs) == 1 else sum(Counted.shown) > COUNT
    engine = NumpyEngine(1)
    for epoch in (epochs[0], epochs[-1]):
        order = batches.order(epoch)
        for number in range(batches.count):
            pictures, features = batches.make(order, epoch, number), found.make(order, epoch, number)
            wanted = base.infer(engine, variables, pictures.images)
            np.testing.assert_allclose(features.images, wanted, atol=1e-5)
            assert np.array_equal(features.labels, pictures.labels)


def test_what_no_epoch_asks_for_is_computed_when_somebody_does(batches, tmp_path):
    found, base, variables = cached(batches, tmp_path, range(1))
    indices = np.array([5, 0, 80, 41])
    wanted = base.infer(NumpyEngine(1), variables, batches.unvaried(indices))
    np.testing.assert_allclose(found.unvaried(indices), wanted, atol=1e-5)


def test_splits_share_what_the_engine_has_prepared_for_the_base(batches, tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(NumpyEngine, "compile", lambda self, step, **options: compiled.append(1) or step)
    base = Conv2d(3, 4)
    prepared = FrozenBase.prepare(NumpyEngine(1), base, base.init(np.random.default_rng(1)))
    for name in ("train", "validation"):
        cache_features(prepared, batches, tmp_path, name, range(1))
    assert compiled == [1]


def test_pictures_are_prepared_one_part_ahead_of_the_base(batches, tmp_path, monkeypatch):
    monkeypatch.setattr("residua.training.feature_cache.MOST_AT_ONCE", 8)
    prepared, computing = [], []
    normalize = Preprocessing.normalize

    def watched(self, images):
        prepared.append(threading.current_thread())
        return normalize(self, images)

    class Waiting(Counted):
        def infer(self, engine, v, x):
            end = time.monotonic() + 5
            computing.append(1)
            wanted = min(len(computing) + 1, parts)
            while len(prepared) < wanted and time.monotonic() < end:
                time.sleep(0.001)
            assert len(prepared) == wanted  # the next one, and no more
            return super().infer(engine, v, x)

    plain = Batches(batches.pictures, batches.preprocessing, None, 16)
    parts = -(-COUNT // 8)
    monkeypatch.setattr(Preprocessing, "normalize", watched)
    base = Waiting(3, 4)
    engine = NumpyEngine(1)
    frozen = FrozenBase.prepare(engine, base, base.init(np.random.default_rng(1)))
    cache_features(frozen, plain, tmp_path, "train", range(1))
    assert len(computing) == parts
    assert threading.main_thread() not in prepared
    assert not any(thread.is_alive() for thread in prepared)


def test_pictures_that_cannot_be_prepared_are_heard_of(batches, tmp_path, monkeypatch):
    def fail(self, images):
        raise OSError("the disk is gone")

    monkeypatch.setattr(Preprocessing, "normalize", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        cached(batches, tmp_path, range(1))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("residua-features")]
