"""VGG: stacks of 3x3 convolutions between poolings, then fully connected layers.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition (2014, arXiv
1409.1556), table 1.
"""

from __future__ import annotations

from residua.errors import ShapeError
from residua.layers import (
    Conv2d,
    ConvNorm,
    Layer,
    MaxPool2d,
    Sequential,
)
from residua.models.architectures.heads import fully_connected_head


def vgg(
    *,
    blocks: tuple[int, ...],
    channels: int = 3,
    classes: int = 1000,
    size: tuple[int, int] = (224, 224),
    width: int = 64,
    normalized: bool = False,
    hidden: tuple[int, ...] = (4096, 4096),
    dropout: float = 0.5,
) -> Sequential:
    """Blocks of 3x3 convolutions with ReLU, each block ending in 2x2 max pooling; then the classifier.

    `blocks` says how many convolutions each has; (2, 2, 3, 3, 3) is VGG16, configuration D. Channels
    double with every block, up to 8 width. `size` is the pictures' height and width: the first fully
    connected layer reads all that is left of them, 7x7 maps of 224x224 pictures, 2x2 of 64x64. `hidden`
    gives the widths of the fully connected layers before the last; dropout follows each. `normalized` puts
    batch normalisation behind every convolution (Ioffe and Szegedy 2015), whose biases it makes needless.
    The paper starts deep networks from a trained shallow one; He's initial weights make that needless in
    the convolutions.

    Raises ShapeError for pictures that the poolings leave nothing of.
    """
    _check_size(blocks, size)
    layers = _convolutions(blocks, channels, width, normalized)
    return Sequential(layers | fully_connected_head(layers, (*size, channels), classes, hidden, dropout))


def small_vgg(
    *,
    channels: int = 3,
    classes: int = 10,
    size: tuple[int, int] = (32, 32),
    width: int = 32,
    hidden: tuple[int, ...] = (128,),
    dropout: float = 0.25,
) -> Sequential:
    """VGG's plan for small pictures, such as 28x28 and 32x32: three blocks of two, with normalisation.

    Raises ShapeError for pictures that the poolings leave nothing of.
    """
    blocks = (2, 2, 2)
    _check_size(blocks, size)
    layers = _convolutions(blocks, channels, width, normalized=True)
    shape = (*size, channels)
    head = fully_connected_head(layers, shape, classes, hidden, dropout, deviation=None)
    return Sequential(layers | head)


def _check_size(blocks: tuple[int, ...], size: tuple[int, int]) -> None:
    least = 2 ** len(blocks)
    if min(size) < least:
        raise ShapeError(
            f"{len(blocks)} poolings by half need pictures of at least {least}x{least} pixels; "
            f"they were given {size[0]}x{size[1]}: use larger pictures or a network with fewer blocks"
        )


def _convolutions(blocks: tuple[int, ...], channels: int, width: int, normalized: bool) -> dict[str, Layer]:
    layers: dict[str, Layer] = {}
    features = channels
    for block, count in enumerate(blocks, start=1):
        after = width * min(8, 2 ** (block - 1))
        for number in range(1, count + 1):
            conv = Conv2d(features, after, bias=not normalized, relu=not normalized)
            layers[f"conv{block}_{number}"] = ConvNorm(conv) if normalized else conv
            features = after
        layers[f"pool{block}"] = MaxPool2d()
    return layers
