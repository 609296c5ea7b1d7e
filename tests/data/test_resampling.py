"""Resizing and sampling, held to Pillow's and PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pixels import light, smooth

from residua.data.augmentation import geometric
from residua.data.resampling import resize, sample, sampling_grid


@pytest.mark.parametrize("size", [(20, 24), (31, 40), (9, 7), (20, 12), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize_equals_pillow_s(size, channels):
    images = smooth(c=channels)
    got = resize(light(images), *size)
    for image, result in zip(images, got, strict=True):
        flat = image[..., 0] if channels == 1 else image
        wanted = np.asarray(Image.fromarray(flat).resize(size[::-1], Image.Resampling.BILINEAR))
        assert abs(result * 255 - wanted.reshape(*size, channels)).max() < 1.01


def grid_sample(images, where):
    """PyTorch's bilinear sampling at places in pixels."""
    torch = pytest.importorskip("torch")
    _, h, w, _ = images.shape
    grid = np.stack([(2 * where[:, 1] + 1) / w - 1, (2 * where[:, 0] + 1) / h - 1], axis=-1)
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    result = torch.nn.functional.grid_sample(planes, torch.from_numpy(grid), align_corners=False)
    return result.numpy().transpose(0, 2, 3, 1)


def test_sampling_equals_pytorch_s():
    images = light(smooth())
    where = np.random.default_rng(0).uniform(-6, 30, (4, 2, 9, 11)).astype(np.float32)
    assert np.allclose(sample(images, where, np.zeros(3, np.float32)), grid_sample(images, where), atol=1e-5)
    fill = np.array([0.2, 0.5, 0.7], np.float32)
    assert np.allclose(sample(images, where, fill), fill + grid_sample(images - fill, where), atol=1e-5)


def test_nothing_moved_is_nothing_changed():
    images = light(smooth())
    middle, one = np.tile(np.array([10, 12], np.float32), (4, 1)), np.ones((4, 2), np.float32)
    where = sampling_grid(geometric.affine(4), middle, one, 20, 24)
    assert np.array_equal(sample(images, where, np.ones(3, np.float32)), images)
