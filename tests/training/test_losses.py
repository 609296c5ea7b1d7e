"""Losses: values against their definitions and PyTorch, gradients against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from residua.testing.arrays import distance, distinct
from residua.testing.gradients import compare_gradient
from residua.training.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    MarginLoss,
    MeanSquaredError,
    NegativeLogLikelihood,
)

LABELLED = [
    CrossEntropy(),
    CrossEntropy(0.2),
    NegativeLogLikelihood(),
    MarginLoss(),
    MarginLoss(0.7, 0.2, 0.3),
]
TARGETED = [MeanSquaredError(), BinaryCrossEntropy()]


def targets(loss, rng, shape):
    return rng.integers(0, shape[1], shape[0]) if loss in LABELLED else rng.uniform(0, 1, shape)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [*LABELLED, *TARGETED], ids=str)
def test_gradients_are_those_of_the_value(engine, rng, loss, weighted):
    x = distinct(rng, (5, 4))
    target, weights = targets(loss, rng, x.shape), rng.uniform(0, 2, 5) if weighted else None
    value, gradient = loss(engine, x, target, weights=weights)
    assert np.shape(value) == ()
    assert gradient.shape == x.shape

    def respond(point):
        return np.reshape(loss(engine, point, target, weights=weights)[0], 1)

    compare_gradient(
        respond, x, np.ones(1), gradient, rng, tolerance=1e-6, what=type(loss).__name__, thorough=True
    )


@pytest.mark.parametrize("loss", [*LABELLED, *TARGETED], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept_and_arguments_are_left_alone(engine, rng, loss, dtype):
    x = distinct(rng, (5, 4)).astype(dtype)
    target = targets(loss, rng, x.shape)
    target = target.astype(dtype) if target.dtype.kind == "f" else target
    kept = x.copy()
    x.flags.writeable = target.flags.writeable = False
    value, gradient = loss(engine, x, target)
    assert value.dtype == gradient.dtype == dtype
    assert np.array_equal(x, kept)


@pytest.mark.parametrize("loss", [*LABELLED, *TARGETED], ids=str)
def test_weights_multiply_the_pictures_losses(engine, rng, loss):
    x = distinct(rng, (4, 3))
    target, weights = targets(loss, rng, x.shape), np.array([0.0, 1.0, 2.5, 0.25])
    alone = [loss(engine, x[i : i + 1], target[i : i + 1]) for i in range(4)]
    value, gradient = loss(engine, x, target, weights=weights)
    assert abs(value - np.mean(weights * [v for v, _ in alone])) < 1e-12
    expected = [weight * part[0] / 4 for weight, (_, part) in zip(weights, alone, strict=True)]
    assert distance(gradient, np.array(expected)) < 1e-12


def test_margin_loss_by_hand(engine):
    """Sabour et al. 2017, equation 4: one class too short, one too long, one within its margin."""
    lengths = np.array([[0.4, 0.3, 0.05]])
    value, gradient = MarginLoss()(engine, lengths, np.array([0]))
    assert value == pytest.approx((0.9 - 0.4) ** 2 + 0.5 * (0.3 - 0.1) ** 2)
    assert gradient == pytest.approx(np.array([[-2 * 0.5, 2 * 0.5 * 0.2, 0.0]]))


def test_large_numbers_do_not_overflow(engine):
    x = np.array([[-1e4, 1e4], [1e4, -1e4]], np.float32)
    value, gradient = BinaryCrossEntropy()(engine, x, np.array([[0.0, 1.0], [0.0, 1.0]], np.float32))
    assert value == pytest.approx(5e3)
    assert gradient == pytest.approx(np.array([[0, 0], [0.25, -0.25]]))


def test_agreement_with_pytorch(engine, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    functional = torch.nn.functional
    labels, shares = torch.tensor(rng.integers(0, 6, 7)), torch.tensor(rng.uniform(0, 1, (7, 6)))
    pairs = [
        (CrossEntropy(), functional.cross_entropy, labels),
        (NegativeLogLikelihood(), functional.nll_loss, labels),
        (MeanSquaredError(), functional.mse_loss, shares),
        (BinaryCrossEntropy(), functional.binary_cross_entropy_with_logits, shares),
    ]
    for loss, theirs, target in pairs:
        x = 3 * rng.normal(size=(7, 6))
        peer = torch.tensor(x, requires_grad=True)
        wanted = theirs(peer, target)
        wanted.backward()
        value, gradient = loss(engine, x, target.numpy())
        assert abs(value - wanted.item()) < 1e-12
        assert distance(gradient, peer.grad.numpy()) < 1e-12


def test_a_loss_of_ones_own_says_what_it_must(engine):
    with pytest.raises(NotImplementedError):
        Loss()(engine, np.zeros((1, 1)), np.zeros(1))
