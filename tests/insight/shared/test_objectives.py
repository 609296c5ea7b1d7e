"""Objectives: the gradients of what is to grow by a network's outputs."""

from __future__ import annotations

import numpy as np

from residua.insight.shared.objectives import class_score, cross_entropy, score_and_lead


def test_the_direction_of_cross_entropy_does_not_vanish(rng):
    logits = rng.standard_normal((5, 4)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 0])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    own = p[np.arange(5), labels][:, None]
    np.testing.assert_allclose(
        cross_entropy(np, logits, labels), (p - np.eye(4)[labels]) / (1 - own), atol=1e-6
    )
    sure = np.array([[200, 0, 1]], np.float32)  # the gradient itself is 0 in float32
    found = cross_entropy(np, sure, np.array([0]))
    np.testing.assert_allclose(found, [[-1, 0.2689, 0.7311]], atol=1e-4)


def test_a_lone_class_leads_nobody():
    logits, labels = np.array([[3.0], [-1.0]], np.float32), np.array([0, 0])
    np.testing.assert_array_equal(score_and_lead(np, logits, labels), class_score(np, logits, labels))
