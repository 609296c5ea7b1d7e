"""Which parts of a picture a class score depends on, by six methods, through the layers' backward steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from residua.insight.shared.scorer import Floats, Labels, Scorer


def gradient(scorer: Scorer, x: Floats, classes: Labels) -> Floats:
    """The gradient (N, H, W, C) of each class score by the picture.

    Simonyan, Vedaldi and Zisserman 2013, "Deep inside convolutional networks", section 3, arXiv 1312.6034.
    """
    return scorer.gradient(x, classes)[1]


def guided_gradient(scorer: Scorer, x: Floats, classes: Labels) -> Floats:
    """The gradient (N, H, W, C) by guided backpropagation; that of a network without ReLU is the gradient.

    Springenberg et al. 2014, "Striving for simplicity: the all convolutional net", section 3.4, arXiv
    1412.6806.
    """
    return scorer.gradient(x, classes, guide=True)[1]


def smooth_gradient(
    scorer: Scorer, x: Floats, classes: Labels, samples: int = 50, noise: float = 0.15, seed: int = 0
) -> Floats:
    """The mean (N, H, W, C) of the gradients at the picture with noise added.

    noise: the standard deviation, as a share of the picture's range (largest less smallest number). The noise
    of sample i is a function of seed and i, the same for every picture, so that none depends on the others.
    Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise", section 3, arXiv 1706.03825.
    """
    normal = np.stack(
        [np.random.default_rng((seed, number)).normal(size=x.shape[1:]) for number in range(samples)]
    ).astype(x.dtype)
    spread = noise * (x.max(axis=(1, 2, 3)) - x.min(axis=(1, 2, 3)))
    total = np.zeros(x.shape, np.float64)
    for indices, numbers in variants(len(x), samples, scorer.batch):
        noisy = x[indices] + spread[indices, None, None, None] * normal[numbers]
        add_at(total, indices, scorer.gradient(noisy, classes[indices])[1])
    return (total / samples).astype(x.dtype)


def grad_cam(scorer: Scorer, x: Floats, classes: Labels, layer: str) -> Floats:
    """Class activation maps (N, H, W), at the size of the pictures, from the maps that a layer gives.

    max(0, sum over the channels of map times the mean of the score's gradient by it): Selvaraju et al. 2017,
    "Grad-CAM: visual explanations from deep networks via gradient-based localization", section 3, arXiv
    1610.02391. Enlarged bilinearly.
    """
    maps, dmaps = scorer.maps(x, classes, layer)
    weights = dmaps.mean(axis=(1, 2))
    return enlarge(np.maximum(np.einsum("nhwc,nc->nhw", maps, weights), 0), x.shape[1], x.shape[2])


def enlarge(maps: Floats, height: int, width: int) -> Floats:
    """Maps (N, h, w) at another size, bilinearly; numbers lie in the middle of their pixels."""
    down, across = _between(maps.shape[1], height), _between(maps.shape[2], width)
    enlarged: Floats = np.einsum("ab,nbc,dc->nad", down, maps, across, optimize=True).astype(maps.dtype)
    return enlarged


def _between(few: int, many: int) -> Floats:
    """(many, few): the weights with which each new number is made of the old ones."""
    position = np.clip((np.arange(many) + 0.5) * few / many - 0.5, 0, few - 1)
    below = np.minimum(position.astype(np.int64), max(few - 2, 0))
    weights = np.zeros((many, few))
    rows = np.arange(many)
    weights[rows, below] = 1 - (position - below)
    if few > 1:
        weights[rows, below + 1] = position - below
    return weights


def default_patch(height: int, width: int) -> int:
    """The side of the square that hides a part of a picture, in pixels: a fifth of the shorter side, even."""
    return 2 * max(1, round(min(height, width) / 10))


def occlusion_corners(height: int, width: int, patch: int | None = None) -> list[tuple[int, int]]:
    """The upper left corners (top, left) of all squares that hide a part of a picture; some begin outside."""
    side = patch or default_patch(height, width)
    stride = max(1, side // 2)
    return [
        (top, left)
        for top in range(stride - side, height, stride)
        for left in range(stride - side, width, stride)
    ]


def occlusion(scorer: Scorer, x: Floats, classes: Labels, patch: int | None = None) -> Floats:
    """By how much the score falls (N, H, W) when a square is covered with the mean colour.

    patch: its side in pixels; it moves by half of that. Each pixel has the mean over the squares that cover
    it. Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks", section 4.2, arXiv
    1311.2901, where each square's result is drawn at its middle.
    """
    count, height, width = x.shape[:3]
    side, corners = patch or default_patch(height, width), occlusion_corners(height, width, patch)
    masks = np.zeros((len(corners), height, width), bool)
    for mask, (top, left) in zip(masks, corners, strict=True):
        mask[max(top, 0) : top + side, max(left, 0) : left + side] = True
    whole = scorer.scores(x, classes).astype(np.float64)
    total = np.zeros((count, height, width))
    for indices, numbers in variants(count, len(corners), scorer.batch):
        covered = np.where(masks[numbers, :, :, None], x.dtype.type(0), x[indices])
        falls = whole[indices] - scorer.scores(covered, classes[indices])
        add_at(total, indices, falls[:, None, None] * masks[numbers])
    fall: Floats = (total / masks.sum(axis=0)).astype(x.dtype)
    return fall


def variants(count: int, each: int, batch: int) -> Iterator[tuple[Labels, Labels]]:
    """Pictures and their variants, batch by batch: indices (n,) below count, numbers (n,) below each."""
    for start in range(0, count * each, batch):
        flat = np.arange(start, min(start + batch, count * each))
        yield flat // each, flat % each


def add_at(total: Floats, indices: Labels, values: Floats) -> None:
    """total[index] += value for each, whatever indices come twice."""
    for index in np.unique(indices).tolist():
        total[index] += values[indices == index].sum(axis=0)
