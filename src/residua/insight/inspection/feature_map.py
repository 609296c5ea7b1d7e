"""What the head of a network reads, in two dimensions: pictures that it finds alike lie close together."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Method = Literal["pca", "tsne"]
Floats = NDArray[np.float64]

KEPT = 50  # principal components that t-SNE starts from (van der Maaten and Hinton 2008, section 4.2: 30)
LEAST_TSNE = 8  # pictures


def principal_components(features: NDArray[np.float32], count: int) -> tuple[Floats, Floats]:
    """(N, count) coordinates along the directions of largest variance, and the variances' shares (count,).

    Pearson 1901, by singular values. Missing directions are zero; signs make each largest weight positive.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    coordinates = (left * sizes * np.where(signs == 0, 1, signs))[:, :count]
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-300)
    missing = count - coordinates.shape[1]
    if missing > 0:
        return np.pad(coordinates, ((0, 0), (0, missing))), np.pad(shares, (0, missing))[:count]
    return coordinates, shares[:count]


def tsne_coordinates(features: NDArray[np.float32], seed: int) -> Floats:
    """(N, 2) coordinates by t-SNE (van der Maaten and Hinton 2008), scikit-learn's, from PCA's start."""
    from sklearn.manifold import TSNE

    start, _ = principal_components(features, min(KEPT, features.shape[1]))
    perplexity = min(30.0, (len(features) - 1) / 3)
    coordinates = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(
        start.astype(np.float32)
    )
    return np.asarray(coordinates, np.float64)
