"""What training begins with: a network, new or pretrained, its variables, and the preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from residua.config import TrainConfig
from residua.data.pictures.selection import Images
from residua.data.preprocessing import Preprocessing
from residua.layers import Layer
from residua.models.build import DEFAULT_MODEL, build_model, find_card
from residua.training.pretrained import Pretrained
from residua.training.whitening import whiten
from residua.variables import Tree


@dataclass(frozen=True)
class Initial:
    """The network, its variables before the first step, and how pictures are prepared for it."""

    network: Layer
    variables: Tree
    preprocessing: Preprocessing


def initialize(
    config: TrainConfig, images: Images, classes: tuple[str, ...], pretrained: Pretrained | None
) -> Initial:
    """The network that is trained, from its own first weights or from a pretrained model's.

    images: the training pictures (N, H, W, C), which a new network's preprocessing is measured on. Raises
    ResiduaError where pictures, network and options do not fit together.
    """
    if pretrained is not None:
        preprocessing = pretrained.model.preprocessing
        return Initial(*pretrained.initial(classes, config.run.seed), preprocessing)
    preprocessing = measure_preprocessing(config, images)
    shape = (preprocessing.height, preprocessing.width, preprocessing.channels)
    network = build_model(config.model, channels=shape[2], classes=len(classes), size=shape[:2])
    network.output_shape(shape)
    variables = network.init(np.random.default_rng([config.run.seed, 1]))
    return Initial(network, whiten(network, variables, images, preprocessing), preprocessing)


def measure_preprocessing(config: TrainConfig, images: Images) -> Preprocessing:
    """How a new network's pictures are prepared: normalised by those of `images`, of the size asked for."""
    _, height, width, channels = images.shape
    preprocessing = Preprocessing.measure(images)
    side = config.data.input
    if side is not None and (side, side) != (height, width):
        preprocessing = replace(preprocessing, height=side, width=side, source=(height, width))
    if find_card(config.model.model or DEFAULT_MODEL).unit_pixels:
        preprocessing = replace(preprocessing, mean=(0.0,) * channels, std=(1.0,) * channels)
    return preprocessing
