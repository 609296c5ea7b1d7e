"""Training pictures that are held on the device."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import numpy as np

from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.augmentation.pipeline import Augment
from residua.data.preprocessing import Preprocessing
from residua.engines import open_engine
from residua.engines.jax.batches import SHARE, HeldPictures, _share_of_memory


def test_a_split_is_sent_once_and_cut_out_as_on_the_reference(rng):
    sent = []

    def place(pixels):
        sent.append(pixels.shape)
        return jax.device_put(pixels)

    engine, pixels = open_engine("jax"), rng.integers(0, 256, (9, 6, 5, 3), np.uint8)
    engine._pictures = HeldPictures(engine.devices, place, most_bytes=pixels.nbytes)
    line = {"scale": rng.random(3).astype(np.float32), "shift": rng.random(3).astype(np.float32)}
    for _ in range(2):
        indices, mirrored = rng.integers(0, 9, 4), rng.integers(0, 2, 4) == 1
        down, right = rng.integers(-3, 4, 4), rng.integers(-3, 4, 4)
        chosen = (indices, down, right, mirrored, (6, 5))
        mine = engine.crop_and_flip(pixels[:], *chosen, **line)
        exact = open_engine("numpy").crop_and_flip(pixels, *chosen, **line)
        np.testing.assert_allclose(mine, exact, rtol=1e-5)
    assert sent == [pixels.shape]


def test_only_so_many_splits_are_held_and_none_that_is_too_large(rng):
    held = HeldPictures((), lambda pixels: pixels, most_bytes=100)
    splits = [rng.integers(0, 256, (10, 3, 3, 1), np.uint8) for _ in range(3)]
    for pixels in splits:
        assert held.take(pixels, np.arange(2))[0] is pixels
    assert len(held._held) == 2
    large = np.zeros((20, 3, 3, 1), np.uint8)
    taken, places = held.take(large, np.array([4, 5]))
    assert taken.shape == (2, 3, 3, 1)
    assert places.tolist() == [0, 1]


def test_of_a_gpus_memory_a_share_may_be_pictures():
    gpu = SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 1000})
    assert _share_of_memory(gpu) == 1000 // SHARE
    assert _share_of_memory(SimpleNamespace(platform="cpu")) == 0


def test_pictures_from_the_device_are_mixed_and_blanked_out_as_ever(rng):
    pixels, indices = rng.integers(0, 256, (6, 8, 8, 3), np.uint8), np.arange(4)
    shape, augment = Preprocessing(8, 8, 3, (0.4,) * 3, (0.2,) * 3), Augment(crop=2, flip=True, cutout=3)
    taken = [augment.take(pixels, shape, 1, 2, indices, open_engine(name)) for name in ("numpy", "jax")]
    np.testing.assert_allclose(taken[1], taken[0], rtol=1e-5, atol=1e-6)
    varied = Augment(crop=2).take(pixels, shape, 1, 2, indices, open_engine("jax"))
    mixed, share = Mix(0.2, 1.0).apply(varied, varied[::-1], 1, 2, indices)
    exact, same = Mix(0.2, 1.0).apply(np.asarray(varied), np.asarray(varied)[::-1], 1, 2, indices)
    np.testing.assert_array_equal(mixed, exact)
    np.testing.assert_array_equal(share, same)
