"""Which pictures are the same, pixel by pixel or but for a crop, a hue or a compression.

What makes two pictures near copies is judged by the data itself. Where every picture looks like many
others (a digit 1), only an almost perfect match is a surprise; where none does (photographs), a fair one
is. So a pair counts when fewer than one in a million unrelated pictures would come as near by chance (an
a-contrario test as in Desolneux, Moisan, Morel 2000, 10.1023/A:1026593302236).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.selection import Images
from residua.data.quality.descriptors import Descriptions, averaging_weights
from residua.data.random_numbers import RandomNumbers

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]

LEAST = 0.5  # cosine of two fine descriptions below which nothing counts as alike
CHANCE = 1e-6  # of one unrelated picture in the whole data set that is as near
_COARSE_LEAST, _COARSE_CHANCE = 0.7, 1e-2  # wider: all pairs are compared coarsely first
_SAMPLE = 2000  # pictures that stand for all when the neighbourhood of each is measured
_FIRST, _LAST = 4, 30  # neighbours in the sample; the very first may be copies themselves
_UNRELATED = 2.0  # the mean squared difference of two unrelated pictures of variance 1
_TWO_LABELS = 0.1  # of a copy under another label; compression alone stays below it
_TOO_FEW = 0.1  # the radius where a data set is too small to know what is usual
_ROUNDING = 0.002  # the distance that float32 can give two equal descriptions
_ROWS = 256
_CHUNK = 4096
_SIDE = 64  # larger pictures are averaged to this before their pixels are compared
_PAIRS = 256  # compared pixel by pixel at a time
_CANDIDATES = 256  # of one picture, the nearest: more, as of a film's frames, tell nothing new


@dataclass(frozen=True, eq=False)
class Alike:
    """Pairs of indices, first < second, and the cosine of their descriptions."""

    first: Indices
    second: Indices
    cosine: Floats

    def __len__(self) -> int:
        return len(self.first)


def near_duplicates(
    splits: Sequence[Images],
    labels: NDArray[np.int64],
    rows: Indices | None = None,
    watch: Callable[[int], object] = lambda rows: None,
) -> Alike:
    """All pairs of pictures that are near copies of each other; exact copies are among them.

    splits: (N, H, W, C) uint8 each; indices count through all of them. labels: of all; a pair with two
    labels must be all but equal, for two letters in one ornament differ in little. rows: compare
    only these indices with all others (all with all). watch: hears how many rows were compared.
    """
    described = Descriptions.of(splits)
    fine, count = described.fine, len(described.fine)
    firsts, seconds, cosines = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    if count >= 2:
        radius = _radius(fine, CHANCE)
        for one, other in _candidates(described.coarse, rows, watch):
            cosine = np.einsum("nd,nd->n", fine[one], fine[other])
            distance = np.sqrt(np.maximum(2 - 2 * cosine, 0))
            good = (cosine >= LEAST) & (distance <= np.minimum(radius[one], radius[other]))
            same = labels[one] == labels[other]
            worst, next_worst = _differences(splits, one[good], other[good])
            good[good] = np.where(same[good], next_worst <= _UNRELATED, worst <= _TWO_LABELS)
            firsts.append(np.minimum(one, other)[good])
            seconds.append(np.maximum(one, other)[good])
            cosines.append(cosine[good])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    _, once = np.unique(first * count + second, return_index=True)
    return Alike(first[once], second[once], np.concatenate(cosines)[once])


def _differences(splits: Sequence[Images], one: Indices, other: Indices) -> tuple[Floats, Floats]:
    """(N,) how much two pictures differ where they differ most, and next to most, of sixteen parts.

    The mean square of the difference of their grey pixels, each picture brought to mean 0 and variance 1.
    The part where they differ most may bear a stamp.
    """
    worst, next_worst = np.zeros(len(one), np.float32), np.zeros(len(one), np.float32)
    for start in range(0, len(one), _PAIRS):
        part = slice(start, start + _PAIRS)
        indices, places = np.unique(np.concatenate([one[part], other[part]]), return_inverse=True)
        grey = _standard(splits, indices)
        first, second = np.split(places.reshape(-1), 2)
        squares = (grey[first] - grey[second]) ** 2
        down, across = averaging_weights(4, squares.shape[1]), averaging_weights(4, squares.shape[2])
        parts: Floats = np.sort((down @ squares @ across.T).reshape(len(squares), 16), axis=1)
        worst[part], next_worst[part] = parts[:, -1], parts[:, -2]
    return worst, next_worst


def _standard(splits: Sequence[Images], indices: Indices) -> Floats:
    """(N, h, w) grey pictures of mean 0 and variance 1, a few at a time as far as they are large."""
    parts = []
    height, width = next(images.shape[1:3] for images in splits if len(images))
    step = max(1, (1 << 22) // (height * width))
    down, across = averaging_weights(min(height, _SIDE), height), averaging_weights(min(width, _SIDE), width)
    for start in range(0, len(indices), step):
        grey = take_pictures(splits, indices[start : start + step]).astype(np.float32).mean(axis=-1)
        if height > _SIDE or width > _SIDE:
            grey = down @ grey @ across.T
        grey -= grey.mean(axis=(1, 2), keepdims=True)
        parts.append(grey / np.maximum(grey.std(axis=(1, 2), keepdims=True), 1))
    normal: Floats = np.concatenate(parts)
    return normal


def take_pictures(splits: Sequence[Images], indices: Indices) -> NDArray[np.uint8]:
    """The pictures at indices that count through all splits."""
    full = [images for images in splits if len(images)]
    starts = np.cumsum([0] + [len(images) for images in full])
    pictures = np.empty((len(indices), *full[0].shape[1:]), np.uint8)
    for start, images in zip(starts[:-1].tolist(), full, strict=True):
        inside = (indices >= start) & (indices < start + len(images))
        pictures[inside] = images[indices[inside] - start]
    return pictures


def _radius(features: Floats, chance: float) -> Floats:
    """(N,) how near another picture must be to be a surprise, from each picture's own neighbourhood.

    Around a picture the number of others within a distance grows as a power of it, the local dimension
    (Levina, Bickel 2004, Maximum likelihood estimation of intrinsic dimension), which neighbours in a
    sample tell. The radius is where fewer than `chance` unrelated pictures of the whole set are expected.
    """
    count = len(features)
    # Drawn by a hash, so that the same data always gives the same answer.
    order = np.argsort(RandomNumbers(0, 0, np.arange(count)).bits(0), kind="stable")
    sample = features[np.sort(order[:_SAMPLE])]
    last = min(_LAST, len(sample) - 1)
    first = min(_FIRST, last - 1)
    radius = np.full(count, _TOO_FEW, np.float32)
    expected = np.log(count * last / len(sample)) - np.log(chance)
    for start in range(0, count if last >= 2 else 0, _CHUNK):
        part = slice(start, start + _CHUNK)
        nearest = -np.sort(np.partition(-(features[part] @ sample.T), last, axis=1)[:, : last + 1], axis=1)
        distance = np.sqrt(np.maximum(2 - 2 * nearest, 1e-6))
        far = distance[:, last]
        growth = np.log(far[:, None] / distance[:, first:last]).mean(axis=1)
        radius[part] = far * np.exp(-expected * np.maximum(growth, 1e-3))
    # Equal pictures are near for certain, whatever rounding says; one of a single grey is like nothing.
    length = np.linalg.norm(features, axis=1)
    return np.where(length < 0.5, -1, np.maximum(radius, _ROUNDING)).astype(np.float32)


def _candidates(
    features: Floats, rows: Indices | None, watch: Callable[[int], object]
) -> Iterator[tuple[Indices, Indices]]:
    """Pairs that are near in a coarse description, out of one matrix product."""
    whole = rows is None
    rows = np.arange(len(features)) if rows is None else rows
    reach = np.minimum(_radius(features, _COARSE_CHANCE), np.sqrt(2 - 2 * _COARSE_LEAST))
    least = np.where(reach < 0, 2, 1 - reach**2 / 2 - 1e-6).astype(np.float32)
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        low = int(block[0]) if whole else 0  # each pair once
        products = features[block] @ features[low:].T
        places = low + np.arange(products.shape[1])
        near = products >= least[block, None]
        near &= places > block[:, None] if whole else places != block[:, None]
        if products.shape[1] > _CANDIDATES:
            for crowded in np.flatnonzero(near.sum(axis=1) > _CANDIDATES).tolist():
                columns = np.flatnonzero(near[crowded])
                far = np.argsort(-products[crowded, columns], kind="stable")[_CANDIDATES:]
                near[crowded, columns[far]] = False
        row, column = np.nonzero(near)
        watch(len(block))
        yield block[row], places[column]
