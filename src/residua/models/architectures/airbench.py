"""airbench94: the network of the CIFAR-10 speed records since 2024.

Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, section 3; widths and
block order as in the published program.
"""

from __future__ import annotations

from typing import Any

from residua.errors import ShapeError
from residua.layers import (
    GELU,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    MultiplyConstant,
    Sequential,
)

LEAST = 25  # pixels, of which 3 are left for the last pooling
WHITENED = 2  # pixels along the side of the patches that are whitened
# As in the published program.
NORM: dict[str, Any] = {"momentum": 0.4, "eps": 1e-12, "scale": False}
HEAD = 1 / 9  # what logits are multiplied by


def airbench94(
    *, channels: int = 3, classes: int = 10, size: tuple[int, int] = (32, 32), width: int = 64
) -> Sequential:
    """Whitened 2x2 patches, then three blocks of two 3x3 convolutions, `width` wide and four times so.

    The first layer's weights are fixed: both signs of the eigenvectors of the training pictures' patches,
    scaled so that what comes out is uncorrelated (`training.whitening` measures them). The kernels of the
    other convolutions begin with identities; normalisation has a bias but no scale; the logits are
    divided by nine. `width` below 64 makes a smaller network, not in the paper.

    Raises ShapeError for pictures below 25x25.
    """
    if min(size) < LEAST:
        raise ShapeError(
            f"airbench94 needs pictures of at least {LEAST}x{LEAST} pixels; "
            f"it was given {size[0]}x{size[1]}: use larger pictures"
        )
    patches = 2 * channels * WHITENED**2
    layers: dict[str, Layer] = {
        "whiten": Conv2d(channels, patches, WHITENED, 1, 0, bias=True, fixed=True),
        "gelu": GELU(),
    }
    before = patches
    for block, after in enumerate((width, 4 * width, 4 * width), start=1):
        layers[f"block{block}"] = _block(before, after)
        before = after
    layers |= {"pool": MaxPool2d(3, 3, 0), "flatten": Flatten()}
    (features,) = Sequential(layers).output_shape((*size, channels))
    # What PyTorch's uniform first weights come to: a variance of 1 / (3 fan in).
    layers |= {"head": Linear(features, classes, bias=False, gain=1 / 3)}
    layers["scale"] = MultiplyConstant(HEAD)
    return Sequential(layers)


def _block(before: int, after: int) -> Sequential:
    return Sequential(
        {
            "conv1": Conv2d(before, after, identity=True),
            "pool": MaxPool2d(2),
            "norm1": BatchNorm2d(after, **NORM),
            "gelu1": GELU(),
            "conv2": ConvNorm(Conv2d(after, after, identity=True), False, **NORM),
            "gelu2": GELU(),
        }
    )
