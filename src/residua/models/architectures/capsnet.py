"""CapsNet: capsules with routing by agreement, for handwritten digits.

Sabour, Frosst, Hinton: Dynamic routing between capsules (2017, arXiv 1710.09829), section 4 and figures 1, 2.
"""

from __future__ import annotations

from math import prod

from residua.errors import ShapeError
from residua.layers import (
    CapsuleNetwork,
    Conv2d,
    DigitCapsules,
    Layer,
    Linear,
    PrimaryCapsules,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
)

KERNEL, DIMENSION, CLASS_DIMENSION = 9, 8, 16
LEAST = 2 * KERNEL - 1  # pixels that both convolutions need
HIDDEN = (512, 1024)  # of the decoder


def capsnet(
    *, channels: int = 1, classes: int = 10, size: tuple[int, int] = (28, 28), width: int = 256
) -> CapsuleNetwork:
    """A 9x9 convolution with ReLU, primary capsules (9x9, stride 2) of 8 numbers, class capsules of 16.

    width: channels of the convolution; an eighth as many primary capsules at each place (of the paper's
    256 channels 32 capsules). A decoder of 512 and 1024 ReLU units and a sigmoid for each pixel draws the
    picture from the capsule of its class. Its pictures are pixels from 0 to 1, not normalised.

    Of first weights the paper tells nothing. The convolution's are those of Glorot and Bengio (2010,
    "Understanding the difficulty of training deep feedforward neural networks", equation 16): He's, sixteen
    times as large at the paper's width, stay the noise that they begin as (docs/capsules.md).

    Raises ShapeError for pictures below 17x17.
    """
    if min(size) < LEAST:
        raise ShapeError(
            f"CapsNet needs pictures of at least {LEAST}x{LEAST} pixels; it was given {size[0]}x{size[1]}: "
            "use larger pictures"
        )
    layers: dict[str, Layer] = {
        "conv1": Conv2d(channels, width, KERNEL, 1, 0, bias=True, relu=True, gain=2 / (1 + width / channels)),
        "primary": PrimaryCapsules(width, max(width // DIMENSION, 1), DIMENSION, KERNEL, 2),
    }
    count, _ = Sequential(layers).output_shape((*size, channels))
    layers["digit"] = DigitCapsules(count, DIMENSION, classes, CLASS_DIMENSION)
    decoder: dict[str, Layer] = {}
    features = classes * CLASS_DIMENSION
    for number, units in enumerate(HIDDEN, start=1):
        decoder[f"hidden{number}"] = Linear(features, units, gain=2.0)
        decoder[f"relu{number}"] = ReLU()
        features = units
    decoder["picture"] = Linear(features, prod((*size, channels)))
    decoder["sigmoid"] = Sigmoid()
    decoder["shape"] = Reshape((*size, channels))
    return CapsuleNetwork(layers, Sequential(decoder))
