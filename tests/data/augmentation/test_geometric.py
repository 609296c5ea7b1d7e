"""Pictures turned, sheared, bent and cut out of, held to PyTorch's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import light, smooth

from residua.data.augmentation import geometric
from residua.data.resampling import sample, sampling_grid


def test_affine_equals_pytorch_s():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    images = light(smooth(h=20, w=20))
    turn, across, zoom = (
        rng.uniform(low, high, 4).astype(np.float32) for low, high in ((-3, 3), (-1, 1), (0.5, 2))
    )
    matrix = geometric.affine(4, rotate=turn, shear_x=across, zoom=zoom)
    middle, one = np.full((4, 2), 10, np.float32), np.ones((4, 2), np.float32)
    got = sample(images, sampling_grid(matrix, middle, one, 20, 20), np.zeros(3, np.float32))
    # The same by PyTorch's affine_grid, in (x, y): content sheared, then turned anticlockwise as seen.
    forward = [
        np.array([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]]) @ np.array([[1, s], [0, 1]]) * z
        for t, s, z in zip(turn, across, zoom, strict=True)
    ]
    inverse = np.stack([np.hstack([np.linalg.inv(entry), np.zeros((2, 1))]) for entry in forward])
    theta = torch.from_numpy(inverse.astype(np.float32))
    grid = torch.nn.functional.affine_grid(theta, (4, 3, 20, 20), align_corners=False)
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    wanted = torch.nn.functional.grid_sample(planes, grid, align_corners=False).numpy().transpose(0, 2, 3, 1)
    assert np.allclose(got, wanted, atol=2e-4)


def test_a_quarter_turn_is_exact():
    images = light(smooth(2, 16, 16))
    matrix = geometric.affine(2, rotate=np.full(2, np.pi / 2, np.float32))
    middle, one = np.full((2, 2), 8, np.float32), np.ones((2, 2), np.float32)
    got = sample(images, sampling_grid(matrix, middle, one, 16, 16), np.zeros(3, np.float32))
    assert np.allclose(got, np.rot90(images, 1, axes=(1, 2)), atol=1e-4)


def test_elastic_deformation_is_a_smoothed_field():
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, (2, 3, 28, 26)).astype(np.float32)
    got = geometric.elastic_displacements(*noise, 34.0, 4.0)
    assert got.shape == (3, 2, 28, 26)
    for axis in range(2):
        for number in range(3):
            wanted = 34 * gaussian_filter(noise[axis, number].astype(float), 4, mode="constant", truncate=20)
            assert np.allclose(got[number, axis], wanted, atol=1e-4)


@settings(deadline=None, max_examples=50)
@given(h=st.integers(1, 40), w=st.integers(1, 40), least=st.floats(0.01, 1), seed=st.integers(0, 1000))
def test_boxes_lie_inside(h, w, least, seed):
    rng = np.random.default_rng(seed)
    area, down, right = (rng.uniform(size=50).astype(np.float32) for _ in range(3))
    aspect = np.exp(rng.uniform(-0.28, 0.28, 50)).astype(np.float32)
    middle, size = geometric.resized_crop_boxes(least + (1 - least) * area, aspect, down, right, h, w)
    assert (middle - size / 2 > -1e-3).all()
    assert (middle + size / 2 < np.array([h, w]) + 1e-3).all()
    assert (size >= 1).all()
    fits = (size[:, 0] < h) & (size[:, 1] < w) & (size > 1).all(axis=1)
    shares = size[:, 0] * size[:, 1] / (h * w)
    assert np.allclose(shares[fits], (least + (1 - least) * area)[fits], rtol=1e-4)
