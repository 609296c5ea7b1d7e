"""First layers whose fixed weights whiten patches: measured on the training pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.selection import Images
from residua.data.preprocessing import Preprocessing
from residua.layers import Conv2d, Layer, Sequential
from residua.variables import Tree

PICTURES = 5000  # of the split, its first: as many as the published program measures
LEAST = 5e-4  # added to the patches' variances


def whiten(network: Layer, variables: Tree, images: Images, preprocessing: Preprocessing) -> Tree:
    """The variables with a fixed first convolution's weights made from pictures; any other network's as
    they are.

    The weights are the eigenvectors of the covariance of the pictures' patches, each divided by the root
    of its eigenvalue, and their negatives, so that nothing is lost to an activation (Jordan 2024, arXiv
    2404.00498, section 3.1; Page 2019 whitened first). images: (N, H, W, C) uint8, the training split.
    """
    layers = network.layers if isinstance(network, Sequential) else {}
    name, layer = next(iter(layers.items()), ("", network))
    if not isinstance(layer, Conv2d) or not layer.fixed:
        return variables
    count = layer.kernel**2 * layer.in_channels
    if layer.out_channels != 2 * count:
        return variables
    whole = replace(preprocessing, height=images.shape[1], width=images.shape[2], source=None)
    normal = whole.normalize(np.asarray(images[: min(PICTURES, len(images))]))
    weight = whitening_weights(normal, layer.kernel).astype(np.float32)
    return variables | {name: variables[name] | {"fixed_weight": weight}}


def whitening_weights(pictures: NDArray[np.float32], kernel: int) -> NDArray[np.float64]:
    """(kernel, kernel, C, 2 kernel² C) from pictures (N, H, W, C): strongest eigenvector first."""
    channels = pictures.shape[3]
    size = kernel * kernel * channels
    total, patches = np.zeros((size, size)), 0
    # A thousand pictures at a time: all patches of 5,000 would be 240 MB.
    for first in range(0, len(pictures), 1000):
        part = pictures[first : first + 1000]
        windows = np.lib.stride_tricks.sliding_window_view(part, (kernel, kernel), axis=(1, 2))
        rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size).astype(np.float64)
        total, patches = total + rows.T @ rows, patches + len(rows)
    values, vectors = np.linalg.eigh(total / patches)
    values, vectors = values[::-1], vectors[:, ::-1]
    # An eigenvector's sign is anybody's choice: the largest number is to be positive.
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(size)])
    scaled = vectors / np.sqrt(np.maximum(values, 0) + LEAST)
    both: NDArray[np.float64] = np.concatenate([scaled, -scaled], axis=1)
    return both.reshape(kernel, kernel, channels, 2 * size)
