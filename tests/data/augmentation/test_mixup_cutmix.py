"""Two pictures in one: shares, boxes, partners, and the loss of two labels."""

from __future__ import annotations

import numpy as np
import pytest
from pixels import SMOOTH, smooth

from residua.data import random_numbers as streams
from residua.data.augmentation.mixup_cutmix import Mix
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.random_numbers import RandomNumbers
from residua.errors import ConfigError


def test_mixup_is_a_weighted_mean_and_its_share_is_told():
    rng = np.random.default_rng(0)
    images, others = (rng.normal(size=(50, 6, 5, 3)).astype(np.float32) for _ in range(2))
    mixed, share = Mix(mixup=0.4).apply(images, others, 1, 2, np.arange(50))
    weight = share[:, None, None, None]
    assert np.allclose(mixed, weight * images + (1 - weight) * others, atol=1e-6)
    assert np.array_equal(share, RandomNumbers(1, 2, np.arange(50)).beta(streams.MIX_SHARE, 0.4))


def test_cutmix_pastes_one_box_whose_area_is_the_rest():
    images, others = np.zeros((300, 12, 9, 1), np.float32), np.ones((300, 12, 9, 1), np.float32)
    mixed, share = Mix(cutmix=1.0).apply(images, others, 1, 2, np.arange(300))
    assert np.allclose(mixed.mean(axis=(1, 2, 3)), 1 - share, atol=1e-6)
    for picture in mixed[..., 0]:
        rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
        if len(rows):
            assert (picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 1).all()
    assert share.min() < 0.3
    assert share.max() > 0.95


def test_both_mixtures_share_the_pictures():
    images, others = np.zeros((400, 4, 4, 1), np.float32), np.ones((400, 4, 4, 1), np.float32)
    mixed, share = Mix(1.0, 1.0).apply(images, others, 0, 0, np.arange(400))
    boxed = np.isin(mixed, (0, 1)).all(axis=(1, 2, 3))
    assert 120 < boxed.sum() < 300
    assert np.allclose(mixed.mean(axis=(1, 2, 3)), 1 - share, atol=1e-6)


def test_partners_come_from_the_whole_split_with_their_labels():
    pictures = Pictures(smooth(60), np.arange(60), [str(k) for k in range(60)])
    batches = Batches(pictures, SMOOTH, None, 8, 3, Mix(mixup=1.0))
    normal = SMOOTH.normalize(pictures.images)
    seen = set()
    for batch in batches.epoch(4):
        weight = batch.share[:, None, None, None]
        wanted = weight * normal[batch.labels] + (1 - weight) * normal[batch.others]
        assert np.allclose(batch.images, wanted, atol=1e-6)
        assert np.array_equal(batch.labels, batch.indices)
        seen |= set(batch.others.tolist())
        # The same picture in another batch has the same partner and share.
        order = batch.indices[::-1]
        again = batches.make(order, 4, 0)
        assert np.array_equal(again.others[: len(order)], batch.others[::-1])
        assert np.array_equal(again.images, batch.images[::-1])
    assert len(seen) > 25


def test_the_loss_of_two_labels_is_the_loss_of_the_mixed_target(engine):
    """What a training step has to add up: two weighted losses are the cross-entropy of the mixed target."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, 4))
    labels, others, share = rng.integers(0, 4, 7), rng.integers(0, 4, 7), rng.uniform(size=7)
    one, done = engine.softmax_cross_entropy(logits, labels, weights=share)
    two, dtwo = engine.softmax_cross_entropy(logits, others, weights=1 - share)
    target = share[:, None] * np.eye(4)[labels] + (1 - share)[:, None] * np.eye(4)[others]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert one + two == pytest.approx(-(target * np.log(shares)).sum(1).mean())
    assert np.allclose(done + dtwo, (shares - target) / 7)


def test_mixtures_out_of_range_or_without_a_seed():
    with pytest.raises(ConfigError, match="mixup takes"):
        Mix(mixup=-1)
    with pytest.raises(ConfigError, match="needs a seed"):
        Batches(Pictures(smooth(2), np.zeros(2, np.int64), "ab"), SMOOTH, None, 2, None, Mix(0.2))
