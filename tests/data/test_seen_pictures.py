"""Pictures known again by a few bytes of their pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from residua.data import seen_pictures
from residua.data.seen_pictures import SeenPictures, picture_digests


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (20, 5, 4, 3), np.uint8)


def test_a_picture_is_known_wherever_and_however_it_lies(images, tmp_path, monkeypatch):
    digests = picture_digests(images)
    assert len(np.unique(digests)) == 20
    assert digests.max() < 2**48
    mapped = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=images.shape)
    mapped[:] = images
    monkeypatch.setattr(seen_pictures, "CHUNK", 3 * images[0].size)  # in many parts, by several threads
    assert (picture_digests(mapped) == digests).all()
    assert (picture_digests(images[::-1])[::-1] == digests).all()
    assert (picture_digests(np.asfortranarray(images)) == digests).all()
    # The same bytes in another shape are another picture.
    assert not np.isin(picture_digests(images.reshape(20, 4, 5, 3)), digests).any()
    assert picture_digests(images[:0]).shape == (0,)


def test_what_was_trained_on_is_told_from_what_chose_the_epoch(images):
    seen = SeenPictures.of(images[:10], images[8:14])
    trained, chosen_by = seen.find(images[::-1])
    assert np.flatnonzero(trained[::-1]).tolist() == list(range(10))
    assert np.flatnonzero(chosen_by[::-1]).tolist() == [10, 11, 12, 13]
    assert len(SeenPictures.of(np.concatenate([images, images]), None)) == 20


def test_a_record_passes_through_json_and_is_united(images):
    one, two = SeenPictures.of(images[:10], None), SeenPictures.of(images[5:15], images[15:])
    text = json.dumps((one | two).to_dict())
    both = SeenPictures.from_dict(json.loads(text))
    assert both == one | two == two | one
    assert both != one
    assert (len(both.train), len(both.validation)) == (15, 5)
    assert len(text) < 20 * 8 + 50  # six bytes a picture


@pytest.mark.parametrize("junk", [{"train": "AAAA", "validation": ""}, {"train": "?", "validation": ""}, {},
                                  {"train": 3, "validation": ""}, [], "x"])  # fmt: skip
def test_junk_is_refused(junk):
    with pytest.raises((ValueError, TypeError, LookupError)):
        SeenPictures.from_dict(junk)


def test_of_very_many_pictures_none_is_kept(images, monkeypatch):
    monkeypatch.setattr(seen_pictures, "MOST", 19)
    assert SeenPictures.of(images, None) is None
    assert SeenPictures.of(images[:12], images[12:]) is None
    assert SeenPictures.of(images[:12], images[12:19]) is not None
