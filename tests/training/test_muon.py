"""Muon: directions made orthogonal, and what each kind of variable learns by."""

from __future__ import annotations

import numpy as np
import pytest

from residua.config import OptimizerOptions
from residua.engines import open_engine
from residua.training.muon import orthogonalized
from residua.training.optimizers import SGD, make_optimizer
from residua.variables import flatten


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (6, 6), (216, 24)])
def test_singular_values_come_near_one_and_directions_stay(rng, shape):
    matrix = rng.normal(size=shape)
    u, values, v = np.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonalized(matrix) @ v.T
    inside = np.diag(found)
    np.testing.assert_allclose(found, np.diag(inside), atol=1e-9)
    large = values > 0.05 * values.max()
    assert (inside[large] > 0.6).all()
    assert (inside < 1.3).all()
    assert np.isfinite(orthogonalized(np.zeros(shape))).all()


def test_as_the_published_program_does_it(rng):
    """Written anew in its own orientation, (out, in), in PyTorch."""
    torch = pytest.importorskip("torch")
    matrix = rng.normal(size=(9, 20))
    x = torch.from_numpy(matrix) / (torch.linalg.matrix_norm(torch.from_numpy(matrix)) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        b = -4.7750 * a + 2.0315 * a @ a
        x = 3.4445 * x + b @ x
    np.testing.assert_allclose(orthogonalized(matrix.T), x.numpy().T, atol=1e-10)


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_kernels_go_along_orthogonal_directions_and_the_rest_as_with_sgd(name, rng):
    if name == "numba":
        pytest.importorskip("numba")
    engine = open_engine(name)
    options = {"momentum": 0.6, "nesterov": True, "decay": 0.1, "rest_rate": 3.0}
    muon = make_optimizer(OptimizerOptions(optimizer="muon", **options))
    v = {"conv": {"weight": rng.normal(size=(3, 3, 2, 36)), "bias": rng.normal(size=36)}}
    v["head"] = {"weight": rng.normal(size=(8, 4))}
    v = {layer: {key: a.astype(np.float32) for key, a in part.items()} for layer, part in v.items()}
    grads = {layer: {key: np.cos(9 * a) for key, a in part.items()} for layer, part in v.items()}
    update = engine.compile(lambda v, slots, grads, rate: muon.update(engine, v, slots, grads, rate))
    for rate in (0.02, 0.04, 0.02, 0.05):  # recorded at the third
        after, slots = update(v, muon.init(v), grads, rate)
        direction = (1 + 0.6) * grads["conv"]["weight"].astype(np.float64)
        unit = orthogonalized(direction.reshape(18, 36)).reshape(3, 3, 2, 36)
        wanted = v["conv"]["weight"] * (1 - 0.1 * rate) - rate * 2**0.5 * unit
        np.testing.assert_allclose(after["conv"]["weight"], wanted, atol=2e-5)
        sgd = SGD(decay=0.1, momentum=0.6, nesterov=True)
        rest, _ = sgd.update(open_engine("numpy"), v, sgd.init(v), grads, 3 * rate)
        for path in ("conv.bias", "head.weight"):
            np.testing.assert_allclose(flatten(after)[path], flatten(rest)[path], atol=1e-6)
        np.testing.assert_allclose(slots["velocity"]["conv"]["weight"], grads["conv"]["weight"], atol=1e-6)
        assert all(array.dtype == np.float32 for array in flatten(after).values())
