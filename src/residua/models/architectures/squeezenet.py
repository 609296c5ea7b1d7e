"""SqueezeNet 1.1: AlexNet's accuracy with a fiftieth of its weights.

Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size (2016,
arXiv 1602.07360), section 3; version 1.1 is the authors' own, published with their weights.
"""

from __future__ import annotations

from residua.layers import (
    Concatenate,
    Conv2d,
    Dropout,
    GlobalAveragePool,
    Layer,
    MaxPool2d,
    Sequential,
)

# The Fire modules' squeezing kernels, and before which of them the maps are halved; each expands to four
# times as many 1x1 kernels and as many 3x3 ones.
_SQUEEZE = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
_POOLED = (2, 4, 6)


def fire(before: int, squeeze: int, expand: int) -> Sequential:
    """1x1 kernels that squeeze, then 1x1 and 3x3 kernels side by side that expand to 2 * expand channels."""
    return Sequential(
        {
            "squeeze": Conv2d(before, squeeze, 1, 1, 0, bias=True, relu=True),
            "expand": Concatenate(
                {
                    "expand1x1": Conv2d(squeeze, expand, 1, 1, 0, bias=True, relu=True),
                    "expand3x3": Conv2d(squeeze, expand, bias=True, relu=True),
                }
            ),
        }
    )


def squeezenet(
    *, channels: int = 3, classes: int = 1000, dropout: float = 0.5, rectified: bool = False
) -> Sequential:
    """A 3x3 convolution with stride 2, eight Fire modules with max poolings between, and 1x1 kernels as head.

    No layer is fully connected: a kernel for each class looks everywhere, and the mean over its map is the
    logit. `rectified` puts a ReLU before that mean, as the authors have it: a network of theirs needs it, a
    new one is better without, since a class whose map is zero everywhere learns nothing, and with a few
    classes all of them can come to that (the loss then stays at the logarithm of their number). Pooling
    leaves out a window that does not fit whole, the authors' framework fills it up: for 224x224 pictures
    and all others where the maps come out odd there is no difference.
    """
    layers: dict[str, Layer] = {"conv1": Conv2d(channels, 64, 3, 2, 0, bias=True, relu=True)}
    before = 64
    for number, squeeze in _SQUEEZE.items():
        if number in _POOLED:
            layers[f"pool{number - 1}"] = MaxPool2d(3, 2, 0)
        layers[f"fire{number}"] = fire(before, squeeze, 4 * squeeze)
        before = 8 * squeeze
    if dropout:
        layers["dropout"] = Dropout(dropout)
    layers["head"] = Conv2d(before, classes, 1, 1, 0, bias=True, relu=rectified)
    layers["pool"] = GlobalAveragePool()
    return Sequential(layers)
