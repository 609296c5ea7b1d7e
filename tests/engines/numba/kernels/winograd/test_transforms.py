"""Winograd's transforms: a convolution, and backward the transposed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numba.kernels.winograd import points as by
from residua.engines.numba.kernels.winograd import transforms
from residua.engines.numba.kernels.winograd import transforms_of_seven as seven
from residua.engines.numba.kernels.winograd import transforms_of_taps as taps

SHARED = [0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5]  # weights of a 7x7 tile's places


class Exact:
    """What `transforms.Algebra` does, on NumPy vectors."""

    def add(self, x, y):
        return x + y

    def sub(self, x, y):
        return x - y

    def mul(self, factor, x):
        return factor * x

    def fma(self, factor, x, y):
        return factor * x + y


def matrix(function, size):
    return np.array(function(Exact(), list(np.eye(size))))


def test_winograd_is_a_convolution():
    patch, kernel = np.random.default_rng(0).normal(size=(2, 6, 6))
    kernel = kernel[:3, :3]
    b, g, a = (matrix(f, n) for f, n in ((transforms.patch, 6), (transforms.kernel, 3), (transforms.tile, 6)))
    tile = a @ ((g @ kernel @ g.T) * (b @ patch @ b.T)) @ a.T
    exact = [[(patch[i : i + 3, j : j + 3] * kernel).sum() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(tile, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("forward", "size", "backward", "result"),
    [
        (transforms.patch, 6, transforms.patch_back, 6),
        (transforms.tile, 6, transforms.spread, 4),
        (transforms.kernel, 3, transforms.kernel_back, 6),
    ],
)
def test_backward_transforms_are_the_transposed(forward, size, backward, result):
    np.testing.assert_allclose(matrix(forward, size), matrix(backward, result).T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [2, 5])
def test_other_kernels_are_convolutions_by_their_points(kernel):
    points = taps.POINTS[kernel]
    size, tile = points.count, points.count + 1 - kernel
    patch, weight = np.random.default_rng(0).normal(size=(2, size, size))
    weight = weight[:kernel, :kernel]
    b = matrix(patch_of(points), size)
    g = matrix(lambda f, y: by.values(f, y, points, points.norms), kernel)
    plain = (1,) * len(points.pairs)
    a = matrix(lambda f, m: by.coefficients(f, m, tile, points, plain, range(tile)), size)
    found = a @ ((g @ weight @ g.T) * (b @ patch @ b.T)) @ a.T
    exact = [
        [(patch[i : i + kernel, j : j + kernel] * weight).sum() for j in range(tile)] for i in range(tile)
    ]
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12)


def patch_of(points):
    return transforms.patch if points.zero else lambda f, d: by.patch(f, d, points)


@pytest.mark.parametrize("kernel", [2, 5])
@pytest.mark.parametrize("normed", [False, True])
def test_their_backward_transforms_are_the_transposed(kernel, normed):
    points = taps.POINTS[kernel]
    norms = points.norms if normed else (1,) * len(points.pairs)
    for size in (kernel, points.count + 1 - kernel):
        values = matrix(lambda f, y: by.values(f, y, points, norms), size)
        back = matrix(
            lambda f, m, size=size: by.coefficients(f, m, size, points, norms, range(size)), points.count
        )
        np.testing.assert_allclose(values, back.T, rtol=1e-12, atol=1e-12)


def test_a_patch_of_seven_pixels_goes_back_by_the_transposed():
    points, pixels = taps.SEVEN, range(taps.SEVEN.count)
    back = matrix(lambda f, m: by.patch_back(f, m, points, pixels), points.count)
    np.testing.assert_allclose(matrix(patch_of(points), points.count), back.T, rtol=1e-12, atol=1e-12)


def test_six_points_are_those_of_the_kernel_of_three_taps():
    np.testing.assert_allclose(taps.SIX.norms, (1 / transforms.NP, 1 / transforms.NQ), rtol=1e-15)


def test_a_tile_of_seven_is_a_convolution_by_the_weights_of_four():
    rng = np.random.default_rng(0)
    patch, kernel = rng.normal(size=(9, 9)), rng.normal(size=(3, 3))
    b, g, a = (matrix(f, n) for f, n in ((seven.patch, 9), (transforms.kernel, 3), (seven.tile, 11)))
    weight = (g @ kernel @ g.T)[np.ix_(SHARED, SHARED)]
    tile = a @ (weight * (b @ patch @ b.T)) @ a.T
    exact = [[(patch[i : i + 3, j : j + 3] * kernel).sum() for j in range(7)] for i in range(7)]
    np.testing.assert_allclose(tile, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("forward", "size", "backward", "result"),
    [(seven.patch, 9, seven.patch_back, 11), (seven.tile, 11, seven.spread, 7)],
)
def test_backward_transforms_of_seven_are_the_transposed(forward, size, backward, result):
    np.testing.assert_allclose(matrix(forward, size), matrix(backward, result).T, rtol=1e-12, atol=1e-12)
