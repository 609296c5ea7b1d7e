"""Chosen pictures behave as an array of them would, and are copied only as far as they are asked for."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from pixels import SMOOTH, smooth

from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures, join_images
from residua.data.pictures.selection import Selection, release_pages
from residua.data.preprocessing import Preprocessing
from residua.engines import installed, open_engine

ROWS = np.array([4, 1, 1, 6, 0])


@pytest.fixture
def base():
    return smooth(8)


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        np.int64(2),
        slice(1, 3),
        slice(None, None, 2),
        [3, 0],
        np.array([4, -5]),
        np.array([True, False, True, False, True]),
        (slice(1, 4), slice(2, 5)),
        (2, slice(None), 3),
        (..., slice(0, 2)),
        (None, 0),
    ],
    ids=str,
)
def test_it_is_indexed_as_an_array(base, key):
    assert np.array_equal(Selection(base, ROWS)[key], base[ROWS][key])


def test_it_is_read_as_an_array(base):
    chosen, copied = Selection(base, ROWS), base[ROWS]
    assert (chosen.shape, chosen.size, chosen.ndim, len(chosen)) == (copied.shape, copied.size, 4, 5)
    assert chosen.dtype == np.uint8
    assert np.array_equal(np.asarray(chosen), copied)
    assert np.array_equal(np.stack(list(chosen)), copied)
    assert np.array_equal(np.asarray(chosen, np.float32), copied.astype(np.float32))
    assert np.array_equal(np.asarray(chosen.window(2, 3, 4, 5)), copied[:, 2:6, 3:8])
    assert (chosen == copied).all()
    assert chosen.mean() == copied.mean()
    assert np.array_equal(255 - chosen, 255 - copied)
    assert np.array_equal(chosen.astype(int).transpose(0, 3, 1, 2), copied.astype(int).transpose(0, 3, 1, 2))
    assert np.array_equal(np.asarray(pickle.loads(pickle.dumps(chosen))), copied)
    assert not hasattr(chosen, "nothing")
    with pytest.raises(ValueError, match="copy"):
        np.asarray(chosen, copy=False)


def test_preprocessing_takes_it_without_a_copy(base):
    chosen = Selection(base, ROWS)
    assert Preprocessing.measure(chosen) == Preprocessing.measure(base[ROWS])
    small = Preprocessing(8, 8, 3, (0.5,) * 3, (0.2,) * 3, resize=20)
    cut = small.cut(chosen)
    assert isinstance(cut, Selection)
    assert np.shares_memory(cut.base, base)
    assert np.array_equal(np.asarray(cut), small.cut(base[ROWS]))


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize(
    "augment", [None, Augment(), Augment(crop=3, flip=True), Augment(rotate=9.0, cutout=4)]
)
def test_batches_have_the_same_bits(base, name, augment):
    if not installed(name):
        pytest.skip(f"needs the engine {name}")
    labels, names = np.arange(5), tuple("abcde")
    pictures = Pictures(base, np.arange(8), tuple("abcdefgh")).select(ROWS)
    assert pictures.names == ("e", "b", "b", "g", "a")
    options = {"augment": augment, "batch": 2, "seed": None if augment is None else 3}
    engine = open_engine(name)
    lazy = Batches(Pictures(Selection(base, ROWS), labels, names), SMOOTH, engine=engine, **options)
    eager = Batches(Pictures(base[ROWS], labels, names), SMOOTH, engine=engine, **options)
    for one, other in zip(lazy, eager, strict=True):
        assert np.array_equal(one.images, other.images)
        assert np.array_equal(one.labels, other.labels)


def test_splits_of_one_array_join_without_a_copy(base):
    parts = [Selection(base, ROWS), Selection(base, np.array([7]))]
    joined = join_images(parts)
    assert isinstance(joined, Selection)
    assert joined.base is base
    assert np.array_equal(np.asarray(joined), base[[*ROWS, 7]])
    other = join_images([parts[0], base[:2]])
    assert np.array_equal(np.asarray(other), np.concatenate([base[ROWS], base[:2]]))


def test_pages_of_a_mapped_file_can_be_released_and_read_again(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    chosen = Selection(mapped, np.arange(0, 40, 2))
    for images, wanted in ((mapped, pixels), (chosen, pixels[::2]), (chosen.window(1, 1, 8, 8), None)):
        before = np.array(images)
        release_pages(images)
        assert np.array_equal(np.array(images), before)
        assert wanted is None or np.array_equal(before, wanted)
    written = np.load(tmp_path / "pixels.npy", mmap_mode="c")
    written[0] = 7
    release_pages(written)  # would lose what was written
    release_pages(pixels)
    assert (written[0] == 7).all()
