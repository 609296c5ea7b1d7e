"""A whole model out of published weights: with its preprocessing and the names of its classes."""

from __future__ import annotations

from pathlib import Path

from residua.config import ImportConfig
from residua.data import Preprocessing
from residua.errors import ConfigError, ModelFileError
from residua.files.published_weights import read_weights
from residua.layers import Sequential
from residua.layers.parameters import ZeroGenerator
from residua.models.build import find_card
from residua.models.foreign_weights.class_names import find_class_names
from residua.models.foreign_weights.fitting import fit_weights
from residua.models.model_file import Model
from residua.variables import flatten

# Pictures of ImageNet are read at 256 pixels and their middle 224 kept (Krizhevsky et al. 2012, section 2).
IMAGENET_SIZE, IMAGENET_RESIZE = 224, 256


def import_model(path: Path, config: ImportConfig) -> Model:
    """The model that the weights in a file or folder belong to; every one of them is accounted for.

    Raises ModelFileError where the weights fit no model, or not the one that was asked for, ConfigError
    where the options do not fit the network.
    """
    weights = read_weights(path)
    name, network, variables = fit_weights(weights, config.model, str(path), config.size)
    preprocessing = _preprocessing(name, network, config)
    shape = (preprocessing.height, preprocessing.width, preprocessing.channels)
    (count,) = network.output_shape(shape)
    classes, data = find_class_names(config.classes, path, count)
    training = {"data": data, "kind": "published" if data else None, "imported_from": path.name}
    return Model(name, network, variables, classes, preprocessing, training)


def _preprocessing(name: str, network: Sequential, config: ImportConfig) -> Preprocessing:
    """How its pictures are prepared. Raises ConfigError where the options do not fit the network."""
    size = find_card(name).input_shape[0] if config.size is None else config.size
    resize = config.resize
    if resize is None and size == IMAGENET_SIZE:
        resize = IMAGENET_RESIZE
    channels = _input_channels(network)
    for option in ("mean", "std"):
        if len(getattr(config, option)) != channels:
            raise ConfigError(f"--{option} takes {channels} numbers for this network, one per channel")
    if resize is not None and resize < size:
        raise ConfigError(f"--resize takes the --size of {size} pixels or more; it was given {resize}")
    return Preprocessing(
        *(size, size, channels, config.mean, config.std),
        resize=None if resize == size else resize,
        order=config.order,
    )


def _input_channels(network: Sequential) -> int:
    """Those of the pictures: what the first convolution reads."""
    for array in flatten(network.init(ZeroGenerator())).values():
        if array.ndim == 4:
            return int(array.shape[2])
    raise ModelFileError("the network has no convolution: its pictures' channels are not known")
