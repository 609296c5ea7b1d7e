"""AlexNet: the network that won ImageNet's competition of 2012.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks (2012),
section 3.5 and figure 2.
"""

from __future__ import annotations

from residua.errors import ShapeError
from residua.layers import Conv2d, GroupedConv2d, Layer, LocalResponseNorm, MaxPool2d, Sequential
from residua.models.architectures.heads import fully_connected_head

LEAST = 63  # pixels: the last pooling then reads 3x3 maps

# Kernels of the five convolutions, for width 96 and for width 64.
_TWO_TOWERS = (96, 256, 384, 384, 256)
_ONE_TOWER = (64, 192, 384, 256, 256)


def alexnet(
    *,
    channels: int = 3,
    classes: int = 1000,
    size: tuple[int, int] = (224, 224),
    towers: int = 2,
    response_norm: bool = True,
    hidden: tuple[int, ...] = (4096, 4096),
    dropout: float = 0.5,
) -> Sequential:
    """Five convolutions with ReLU, the first, second and fifth with overlapping max pooling; the classifier.

    towers: 2 has the sizes of 2012, where two processors shared the channels, so that the second, fourth and
    fifth convolution are grouped; 1 has those of the later network for one processor, in which nothing is
    grouped (Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks"; the sizes
    of torchvision's alexnet). `response_norm` puts local response normalisation behind the first two
    convolutions (section 3.3). `size`, `hidden` and `dropout` as in `vgg`.

    The paper's pictures are 224x224, but its 55x55 maps need two pixels of padding around them, as here, or
    227x227. Its weights began with deviation 0.01 and its biases partly with one; here they begin as He
    says, which needs no such care.

    Raises ShapeError for pictures below 63x63, ValueError for other numbers of towers.
    """
    if towers not in (1, 2):
        raise ValueError(f"towers is 1 or 2; it was given as {towers}")
    if min(size) < LEAST:
        raise ShapeError(
            f"AlexNet's strides need pictures of at least {LEAST}x{LEAST} pixels; "
            f"they were given {size[0]}x{size[1]}: use larger pictures or another network"
        )
    kernels = _TWO_TOWERS if towers == 2 else _ONE_TOWER
    layers: dict[str, Layer] = {}
    before = channels
    for number, after in enumerate(kernels, start=1):
        kernel, stride, padding = {1: (11, 4, 2), 2: (5, 1, 2)}.get(number, (3, 1, 1))
        sizes = (before, after, kernel, stride, padding)
        if towers == 2 and number in (2, 4, 5):
            layers[f"conv{number}"] = GroupedConv2d(*sizes, groups=2, bias=True, relu=True)
        else:
            layers[f"conv{number}"] = Conv2d(*sizes, bias=True, relu=True)
        if response_norm and number <= 2:
            layers[f"norm{number}"] = LocalResponseNorm()
        if number in (1, 2, 5):
            layers[f"pool{number}"] = MaxPool2d(3, 2, 0)
        before = after
    return Sequential(layers | fully_connected_head(layers, (*size, channels), classes, hidden, dropout))
