"""Near duplicates: what was planted is found, and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pixels import scenes

from residua.data.quality.descriptors import describe
from residua.data.quality.exact_duplicates import first_occurrences
from residua.data.quality.near_duplicates import LEAST, near_duplicates, take_pictures
from residua.data.sources.readers.cifar import read_cifar_python

pytestmark = pytest.mark.usefixtures("quiet_cache")


def jpeg(image, quality=60):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def test_pictures_are_taken_from_the_right_split():
    images = scenes(9)
    splits = [images[:4], images[:0], images[4:]]
    places = np.array([8, 0, 4, 3])
    assert np.array_equal(take_pictures(splits, places), images[places])


def stamped(image):
    changed = image.copy()
    changed[27:, 24:] = 200
    return changed


PLANTED = {
    "compressed": lambda image: jpeg(image),
    "darker": lambda image: (image * 0.6).astype(np.uint8),
    "another hue": lambda image: image[..., [1, 0, 2]] // 2 + image // 2,
    "shifted": lambda image: np.roll(image, 1, axis=1),
    "noisy": lambda image: (
        (image + np.random.default_rng(3).normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    ),
    "cropped": lambda image: np.asarray(Image.fromarray(image[1:-1, 1:-1]).resize((32, 32), 2)),
    "with a stamp": lambda image: stamped(image),
}


def test_planted_copies_are_found_and_nothing_else():
    images = scenes(400)
    copies = np.stack([change(images[10 * place]) for place, change in enumerate(PLANTED.values())])
    labels = np.concatenate([np.arange(400) % 10, np.arange(len(copies)) * 0])
    found = near_duplicates([images, copies], labels)
    pairs = dict(zip(found.second.tolist(), found.first.tolist(), strict=True))
    for place, name in enumerate(PLANTED):
        assert pairs.pop(400 + place, None) == 10 * place, name
    assert not pairs
    assert (found.first < found.second).all()
    assert (found.cosine >= LEAST).all()


def test_copies_with_two_labels_must_be_all_but_equal():
    images = scenes(300)
    copies = np.stack([jpeg(images[0], 90), images[1]])
    copies[1, 8:20, 8:20] = 255 - copies[1, 8:20, 8:20]  # one ornament, another letter in it
    same, other = np.zeros(302, np.int64), np.arange(302)
    assert near_duplicates([images, copies], same).second.tolist() == [300]
    assert near_duplicates([images, copies], other).second.tolist() == [300]
    copies[1] = images[1]
    copies[1, 12:16, 12:16] = 255 - copies[1, 12:16, 12:16]
    assert near_duplicates([images, copies], same).second.tolist() == [300, 301]
    assert near_duplicates([images, copies], other).second.tolist() == [300]


def test_where_all_look_alike_only_the_almost_equal_counts():
    """A thousand strokes that turn little by little: neighbours are alike, yet no copies."""
    y, x = np.mgrid[:28, :28] - 13.5
    angles = np.random.default_rng(0).uniform(0, np.pi, 1000)
    lines = np.stack([np.abs(x * np.cos(a) + y * np.sin(a)) < 2 for a in angles])
    images = (255 * lines)[..., None].astype(np.uint8)
    first = first_occurrences([images])
    found = near_duplicates([images], np.zeros(1000, np.int64))
    other = first[found.first] != first[found.second]
    assert other.sum() < 10
    cosine = describe(images) @ describe(images).T
    assert (cosine > 0.9).sum() > 20_000  # a fixed threshold would have found all of these


def test_some_rows_find_what_all_find():
    images = scenes(300)
    copies = np.stack([jpeg(image) for image in images[:20]])
    labels = np.zeros(320, np.int64)
    whole = near_duplicates([images, copies], labels)
    rows = np.arange(310, 320)
    part = near_duplicates([images, copies], labels, rows)
    wanted = [(a, b) for a, b in zip(whole.first.tolist(), whole.second.tolist(), strict=True) if b >= 310]
    assert list(zip(part.first.tolist(), part.second.tolist(), strict=True)) == wanted
    assert len(wanted) == 10


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_few_pictures(count):
    images = np.concatenate([scenes(count), scenes(count)[:1]])
    found = near_duplicates([images], np.zeros(len(images), np.int64))
    assert found.second.tolist() == ([count] if count else [])


def test_pictures_of_one_grey_are_like_nothing():
    images = np.concatenate([scenes(50), np.stack([np.full((32, 32, 3), g, np.uint8) for g in (0, 9, 9)])])
    assert len(near_duplicates([images], np.zeros(53, np.int64))) == 0
    assert first_occurrences([images])[52] == 51


@pytest.mark.exhaustive
def test_cifar_10_has_copies_of_its_test_pictures(data_dir):
    """Barz and Denzler 2019, "Do we train on test data?": 3.25 % of all; here by a fifth of the training."""
    folder = data_dir / "cifar-10-batches-py"
    if not folder.is_dir():
        pytest.skip("needs cifar-10-batches-py in the folder RESIDUA_DATA")
    train, test = (read_cifar_python(folder / name, 10) for name in ("data_batch_1", "test_batch"))
    labels = np.concatenate([train.labels, test.labels])
    found = near_duplicates([train.images, test.images], labels)
    torn = (found.first < 10_000) & (found.second >= 10_000)
    copied = np.unique(found.second[torn])
    assert 50 <= len(copied) <= 110
    same = labels[found.first] == labels[found.second]
    assert same.mean() > 0.97
