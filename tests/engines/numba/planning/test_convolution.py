"""Which way a convolution is computed, and that the size of the cache changes no result."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numba import NumbaEngine
from residua.engines.numba.planning import convolution as plans
from residua.engines.numpy.engine import NumpyEngine


def test_a_stride_with_many_weights_is_transformed_where_that_pays():
    """Enough pictures for the weights' transforms, and maps that fill their tiles."""

    def way(count, size, c, k):
        chosen = plans.plan(plans.shape_of(count, size, size, c, k, 3, 2, 1))
        return f"{chosen.method}, {'one product a place' if chosen.many_channels else 'by pictures'}"

    assert way(64, 8, 128, 256) == way(8, 28, 256, 256) == "winograd, one product a place"
    assert way(8, 8, 128, 256) == way(64, 4, 256, 512) == way(8, 14, 512, 512) == "im2col, by pictures"
    assert way(64, 32, 64, 128) == "winograd, by pictures"


def test_other_kernels_are_transformed_where_that_pays():
    """2x2 and 5x5, where maps fill their tiles and there are pixels enough for the weights' transforms."""

    def way(count, size, kernel, padding, stride=1, planned=plans.plan):
        return planned(plans.shape_of(count, size, size, 64, 192, kernel, stride, padding)).method

    assert way(8, 27, 5, 2) == way(1, 27, 5, 2) == way(64, 16, 2, 0) == "winograd"
    assert way(8, 27, 5, 2, 2) == "im2col"
    # Transforms of so few weights stay in the cache, so that few tiles are enough.
    assert plans.forward_plan(plans.shape_of(128, 16, 16, 16, 16, 2, 1, 0)).method == "winograd"
    assert "winograd" not in (way(1, 5, 5, 2), way(64, 7, 2, 0))
    for size, kernel in ((27, 5), (7, 5), (5, 5), (32, 2), (8, 2)):
        alone = [way(count, size, kernel, 0, planned=plans.forward_plan) for count in (1, 8, 100)]
        assert len(set(alone)) == 1


def test_weights_in_training_meet_many_pictures_those_that_are_kept_perhaps_one():
    """Reading 49 places of heavy weights for the four tiles of one picture would take longer than its sum."""

    def way(count, kept):
        return plans.forward_plan(plans.shape_of(count, 4, 4, 128, 128, 5, 1, 2), kept).method

    assert {way(count, kept=True) for count in (1, 8, 100)} == {"im2col"}
    assert {way(count, kept=False) for count in (1, 8, 100)} == {"winograd"}


def test_few_pixels_are_one_row_where_rows_would_leave_blocks_unused():
    """On the way forward alone: in training rows are parts, whose sums are added up in their order."""
    assert plans.pixel_rows(27 * 27, 128) == (27, 1, 27)
    assert plans.pixel_rows(27 * 27, 128, forward_alone=True) == (1, 1, 27 * 27)
    for pixels in (2 * 27 * 27, 56 * 56, 55 * 55, 28 * 28):
        assert plans.pixel_rows(pixels, 128, forward_alone=True) == plans.pixel_rows(pixels, 128)


def test_tiles_of_a_large_batch_come_in_groups():
    """Each with parts for some threads, all parts and tiles in one of them, and matrices for the largest."""
    for planned, by_rows in ((plans.plan, False), (plans.forward_plan, True)):
        p = planned(plans.shape_of(100, 27, 27, 64, 192, 5, 1, 2))
        parts = p.sharing.down if by_rows else p.forward.parts
        groups = p.groups(parts, by_rows=by_rows)
        assert len(groups) > 10
        assert sum(group.tiles for group in groups) == 100 * 9 * 9
        assert all(group.parts >= 4 for group in groups[:-1])
        assert [group.part + group.parts for group in groups] == [g.part for g in groups[1:]] + [parts]
        assert [group.tile + group.tiles for group in groups[:-1]] == [g.tile for g in groups[1:]]
        assert max(group.tiles for group in groups) <= p.cut.chunk < 700


@pytest.mark.parametrize(
    ("size", "c", "k", "kernel", "stride"),
    [
        (224, 3, 64, 7, 2),
        (56, 64, 64, 3, 1),
        (28, 128, 128, 3, 1),
        (28, 128, 256, 3, 2),
        (7, 512, 2048, 1, 1),
        (27, 64, 192, 5, 1),
    ],
)
def test_threads_share_one_picture(size, c, k, kernel, stride):
    """And it is convolved as those of a batch are."""

    def planned(count):
        return plans.forward_plan(plans.shape_of(count, size, size, c, k, kernel, stride, kernel // 2))

    one = planned(1)
    assert one.sharing.down * one.sharing.across >= 4
    assert one.method == planned(8).method == planned(64).method


def test_few_tiles_of_one_picture_are_shared_by_columns():
    """The last stage of a small network: as many parts as blocks of a product."""
    small, large = (plans.forward_plan(plans.shape_of(1, 8, 8, c, c, 3, 1, 1)).sharing for c in (32, 64))
    assert large.down == 1
    assert large.across > 1
    assert small.across <= large.across


@pytest.mark.exhaustive
@pytest.mark.parametrize("megabytes", [0.5, 1, 2])
def test_results_are_right_whatever_the_cache(megabytes, monkeypatch):
    """How many tiles are worked on at a time depends on it."""
    monkeypatch.setattr(plans, "second_level_cache", lambda: int(megabytes * 2**20))
    for cached in (plans.plan, plans.forward_plan):
        cached.cache_clear()
    try:
        rng = np.random.default_rng(0)
        engine, reference = NumbaEngine(2), NumpyEngine()
        for c, k, size, stride in [(16, 16, 18, 1), (32, 64, 17, 2), (64, 64, 9, 1), (128, 128, 12, 1)]:
            x = rng.normal(size=(9, size, size, c)).astype(np.float32)
            weight = rng.normal(0, (9 * c) ** -0.5, (3, 3, c, k)).astype(np.float32)
            options = {"stride": stride, "padding": 1}
            y, saved = engine.conv2d(x, weight, None, **options)
            exact, exactly = reference.conv2d(*(a.astype(np.float64) for a in (x, weight)), None, **options)
            dy = rng.normal(size=exact.shape).astype(np.float32)
            found = [y, *engine.conv2d_backward(dy, weight, saved, **options)[:2]]
            right = [exact, *reference.conv2d_backward(dy.astype(np.float64), weight, exactly, **options)[:2]]
            for mine, other in zip(found, right, strict=True):
                assert np.abs(engine.plain(mine) - other).max() <= 2e-5 * np.abs(other).max()
    finally:
        for cached in (plans.plan, plans.forward_plan):
            cached.cache_clear()
