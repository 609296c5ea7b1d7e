"""LeNet-5: the classic network for handwritten digits.

LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition (1998), section II.B.
"""

from __future__ import annotations

from residua.errors import ShapeError
from residua.layers import AveragePool2d, Conv2d, Flatten, Layer, Linear, Sequential, Tanh

SIDE = 32  # pixels that the paper's digits have, their margins included
LEAST = 12


def lenet5(*, channels: int = 1, classes: int = 10, size: tuple[int, int] = (32, 32)) -> Sequential:
    """Two 5x5 convolutions (6 and 16 kernels) with mean pooling and tanh, then layers of 120, 84 and classes.

    This is the form in common use: every kernel of the second convolution sees all six maps (in the paper,
    table I, each sees some of them), poolings have no weights of their own, tanh is not scaled, and the
    last layer is linear instead of radial. Pictures below 32 pixels, such as MNIST's 28x28, get two pixels
    of zeros around them; the paper's 120 kernels of 5x5 then see all that is left, as the layer "hidden1"
    does here for any size.

    Raises ShapeError for pictures below 12x12.
    """
    if min(size) < LEAST:
        raise ShapeError(
            f"LeNet-5 needs pictures of at least {LEAST}x{LEAST} pixels; it was given {size[0]}x{size[1]}: "
            "use larger pictures"
        )
    layers: dict[str, Layer] = {
        "conv1": Conv2d(channels, 6, 5, 1, 2 if min(size) < SIDE else 0, bias=True),
        "tanh1": Tanh(),
        "pool1": AveragePool2d(),
        "conv2": Conv2d(6, 16, 5, 1, 0, bias=True),
        "tanh2": Tanh(),
        "pool2": AveragePool2d(),
        "flatten": Flatten(),
    }
    (features,) = Sequential(layers).output_shape((*size, channels))
    for number, units in enumerate((120, 84), start=1):
        layers[f"hidden{number}"] = Linear(features, units)
        layers[f"tanh{number + 2}"] = Tanh()
        features = units
    layers["head"] = Linear(features, classes)
    return Sequential(layers)
