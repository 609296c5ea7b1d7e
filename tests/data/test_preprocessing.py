"""Normalisation is exact and stays with the model; variation reaches every place and repeats itself."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data import preprocessing as module
from residua.data.augmentation.pipeline import Augment
from residua.data.preprocessing import Preprocessing
from residua.data.random_numbers import RandomNumbers
from residua.errors import ConfigError, DataError, ShapeError

PLAIN = Preprocessing(6, 6, 1, (0.0,), (1.0,))


def pictures(n=5, h=6, w=6, c=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, c), np.uint8)


@pytest.mark.parametrize("chunk", [1, 100, 1 << 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_measure_is_exact_and_chunks_do_not_matter(chunk, channels, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_PIXELS", chunk)
    images = pictures(20, c=channels)
    got = Preprocessing.measure(images)
    values = images.reshape(-1, channels) / 255
    assert np.allclose(got.mean, values.mean(0), rtol=1e-13)
    assert np.allclose(got.std, values.std(0), rtol=1e-12)
    assert got == Preprocessing.measure(images[::-1])


def test_normalized_training_data_has_zero_mean_and_unit_deviation():
    images = pictures(200)
    normal = Preprocessing.measure(images).normalize(images)
    assert normal.dtype == np.float32
    assert normal.flags.c_contiguous
    assert np.allclose(normal.mean((0, 1, 2)), 0, atol=1e-5)
    assert np.allclose(normal.std((0, 1, 2)), 1, atol=1e-5)


def test_a_constant_channel_becomes_zero():
    images = np.full((3, 4, 4, 1), 200, np.uint8)
    normal = Preprocessing.measure(images).normalize(images)
    assert np.allclose(normal, 0, atol=1e-4)


def test_a_picture_does_not_depend_on_its_batch_or_layout():
    images = pictures(7)
    prep = Preprocessing.measure(images)
    whole = prep.normalize(images)
    assert np.array_equal(prep.normalize(images[3:4])[0], whole[3])
    assert np.array_equal(prep.normalize(np.asfortranarray(images)), whole)
    images.setflags(write=False)
    assert np.array_equal(prep.normalize(images), whole)


def test_kept_in_json_without_loss():
    prep = Preprocessing.measure(pictures())
    assert Preprocessing.from_dict(json.loads(json.dumps(prep.to_dict()))) == prep


@pytest.mark.parametrize(
    "change", [{"mean": [1]}, {"std": [0, 1, 1]}, {"height": 0}, {"mean": None}, {"std": [float("nan")] * 3}]
)
def test_malformed_preprocessing_is_refused(change):
    with pytest.raises(ShapeError):
        Preprocessing.from_dict({**Preprocessing.measure(pictures()).to_dict(), **change})


def test_wrong_pictures_are_refused_in_one_line():
    prep = Preprocessing.measure(pictures())
    for wrong in (pictures(h=5), pictures(c=1), pictures()[0], pictures().astype(np.float32)):
        with pytest.raises(ShapeError, match="Pictures must be"):
            prep.normalize(wrong)
    with pytest.raises(DataError, match="no training pictures"):
        Preprocessing.measure(pictures(0))


@given(
    limit=st.integers(1, 1000),
    seed=st.integers(0, 2**70),
    epoch=st.integers(0, 10**6),
    stream=st.integers(0, 9),
)
def test_hashes_stay_below_the_limit_and_do_not_depend_on_company(limit, seed, epoch, stream):
    indices = np.arange(50)
    values = RandomNumbers(seed, epoch, indices).integers(stream, limit)
    assert values.min() >= 0
    assert values.max() < limit
    assert np.array_equal(RandomNumbers(seed, epoch, indices[::-3]).integers(stream, limit), values[::-3])


def test_hashes_are_evenly_spread_and_unrelated():
    indices = np.arange(100_000)
    counts = np.bincount(RandomNumbers(0, 0, indices).integers(1, 9), minlength=9)
    assert abs(counts - 100_000 / 9).max() < 500  # five standard deviations
    bits = [
        RandomNumbers(seed, epoch, indices).bits(stream) & np.uint64(1)
        for seed, epoch, stream in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]
    for one in range(4):
        for other in range(one):
            assert abs(np.mean(bits[one] == bits[other]) - 0.5) < 0.01


def test_hashes_are_the_same_for_ever():
    # Runs are repeated by seed: a change here changes every published result.
    assert RandomNumbers(0, 0, np.arange(2)).bits(0).tolist() == GOLDEN


GOLDEN = [8695987549771912286, 11949023478716900198]


def slow(images, prep, augment, seed, epoch, indices):
    """The same as Augment.apply, written pixel by pixel in terms of a padded picture."""
    normal, p = prep.normalize(images), augment.crop
    n, h, w, _ = normal.shape
    padded = np.pad(normal, ((0, 0), (p, p), (p, p), (0, 0)))
    result = np.empty_like(normal)
    for k in range(n):
        index = indices[k : k + 1]
        y = RandomNumbers(seed, epoch, index).integers(1, 2 * p + 1)[0]
        x = RandomNumbers(seed, epoch, index).integers(2, 2 * p + 1)[0]
        picture = padded[k, y : y + h, x : x + w]
        if augment.flip and RandomNumbers(seed, epoch, index).integers(3, 2)[0]:
            picture = picture[:, ::-1]
        picture = picture.copy()
        if augment.cutout:
            top = RandomNumbers(seed, epoch, index).integers(4, h)[0] - augment.cutout // 2
            left = RandomNumbers(seed, epoch, index).integers(5, w)[0] - augment.cutout // 2
            for row in range(h):
                for column in range(w):
                    if 0 <= row - top < augment.cutout and 0 <= column - left < augment.cutout:
                        picture[row, column] = 0
        result[k] = picture
    return result


@settings(deadline=None, max_examples=60)
@given(
    h=st.integers(1, 7),
    w=st.integers(1, 7),
    c=st.sampled_from([1, 3]),
    crop=st.integers(0, 9),
    flip=st.booleans(),
    cutout=st.integers(0, 9),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 100),
)
def test_agrees_with_the_slow_way(h, w, c, crop, flip, cutout, seed, epoch):
    images = pictures(6, h, w, c, seed)
    prep, augment = Preprocessing.measure(images), Augment(crop, flip, cutout)
    indices = np.arange(100, 106)
    fast = augment.apply(images, prep, seed, epoch, indices)
    assert np.array_equal(fast, slow(images, prep, augment, seed, epoch, indices))
    assert fast.flags.c_contiguous


@pytest.mark.parametrize("crop", [1, 2, 4])
def test_every_offset_and_both_mirrors_are_reached_equally_often(crop):
    # A single lit pixel in the middle tells where the crop was and whether it was mirrored.
    side = 2 * crop + 3
    images = np.zeros((8000, side, side, 1), np.uint8)
    images[:, crop + 1, crop + 1], images[:, crop + 1, crop + 2] = 255, 128
    prep = Preprocessing(side, side, 1, (0.0,), (1.0,))
    result = Augment(crop, flip=True).apply(images, prep, 3, 1, np.arange(8000))[..., 0]
    where = np.argmax(result.reshape(8000, -1), axis=1)
    counts = np.unique_counts(where).counts
    assert len(counts) >= (2 * crop + 1) ** 2
    down = np.bincount(RandomNumbers(3, 1, np.arange(8000)).integers(1, 2 * crop + 1))
    assert len(down) == 2 * crop + 1
    assert down.min() > 0.8 * down.max()
    assert np.array_equal(np.unique(where // side), np.arange(1, 2 * crop + 2))


def test_padding_is_the_mean_colour():
    images = np.full((50, 6, 6, 1), 255, np.uint8)
    prep = Preprocessing(6, 6, 1, (0.5,), (0.25,))
    result = Augment(crop=2).apply(images, prep, 0, 0, np.arange(50))
    assert set(np.unique(result)) == {0.0, 2.0}


def test_depends_on_seed_epoch_and_index_alone():
    images = pictures(40, c=1)
    augment = Augment(2, True, 2)
    indices = np.arange(40)
    one = augment.apply(images, PLAIN, 1, 2, indices)
    parts = [augment.apply(images[k : k + 7], PLAIN, 1, 2, indices[k : k + 7]) for k in range(0, 40, 7)]
    assert np.array_equal(np.concatenate(parts), one)
    for other in ((2, 2), (1, 3)):
        assert not np.array_equal(augment.apply(images, PLAIN, *other, indices), one)


def test_no_variation_is_plain_normalisation():
    images = pictures(c=1)
    assert not Augment()
    assert np.array_equal(Augment().apply(images, PLAIN, 0, 0, np.arange(5)), PLAIN.normalize(images))


@pytest.mark.parametrize("options", [{"crop": -1}, {"cutout": -1}, {"crop": 1.5}, {"cutout": True}])
def test_impossible_variation_is_refused(options):
    with pytest.raises(ConfigError, match="number of pixels"):
        Augment(**options)
