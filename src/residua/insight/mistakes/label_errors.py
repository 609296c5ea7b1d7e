"""Labels that are probably wrong, found by what a model that has not learnt them says: confident learning.

Northcutt, Jiang and Chuang: Confident Learning: Estimating Uncertainty in Dataset Labels (2021, Journal of
Artificial Intelligence Research 70, arXiv 1911.00068). The implementation is our own. Where we differ: the
suspects are ranked by the margin between the class that is suspected and the given one, and their number
is not cut to the estimated one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Suspected label errors of one split, most suspicious first.

    places: (K,) of the pictures. suspected: (K,) the classes that they seem to be of. margins: (K,) by how
    much the suspected class is more probable than the given one. thresholds: (classes,) from which
    probability on a picture counts as of a class; infinite for a class without pictures. joint: (classes,
    classes), the confident joint: pictures by given class and class that they seem to be of. share: the
    estimated share of wrong labels in the split.
    """

    places: NDArray[np.int64]
    suspected: NDArray[np.int64]
    margins: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    joint: NDArray[np.int64]
    share: float

    def __len__(self) -> int:
        return len(self.places)


def find_label_errors(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> LabelErrors:
    """Pictures that a model is confident to be of another class than the given one.

    probabilities: (N, classes), of pictures that the model was not trained on. labels: (N,).

    A class's threshold is the mean probability that its own pictures get for it (section 3.1, equation 2): a
    class of which the model is never sure asks for less. A picture seems to be of the most probable of the
    classes whose thresholds it reaches (equation 1), and is suspected where that is not the given one.
    """
    shares = probabilities.astype(np.float64)
    count, classes = shares.shape
    own = shares[np.arange(count), labels]
    labelled = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=own, minlength=classes)
    thresholds = np.where(labelled > 0, sums / np.maximum(labelled, 1), np.inf)
    # A rounding error less: where all of a class's pictures get the same, each of them reaches the mean.
    reached = np.where(shares >= thresholds - 1e-9, shares, -1.0)
    seems = reached.argmax(axis=1)
    confident = reached[np.arange(count), seems] >= 0
    joint = np.zeros((classes, classes), np.int64)
    np.add.at(joint, (labels[confident], seems[confident]), 1)
    indices = np.flatnonzero(confident & (seems != labels))
    margins = shares[indices, seems[indices]] - own[indices]
    order = np.argsort(-margins, kind="stable")
    return LabelErrors(
        indices[order],
        seems[indices][order],
        margins[order],
        thresholds,
        joint,
        _wrong_share(joint, labelled),
    )


def _wrong_share(joint: NDArray[np.int64], labelled: NDArray[np.int64]) -> float:
    """The share off the diagonal once every row counts as many pictures as its class has (equation 3)."""
    rows = joint.sum(axis=1)
    off = rows - np.diag(joint)
    # A class of whose pictures the model is sure of none tells nothing.
    wrong = np.where(rows > 0, off / np.maximum(rows, 1), 0.0) * labelled
    return float(wrong.sum() / max(int(labelled.sum()), 1))
