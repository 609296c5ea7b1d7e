"""A whole model out of published weights: with its preprocessing and the names of its classes."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from residua.config import ImportConfig
from residua.data import DATASETS, Preprocessing
from residua.errors import ConfigError, ModelFileError
from residua.files.published_weights import read_weights
from residua.layers.parameters import ZeroGenerator
from residua.models import find_card
from residua.models.foreign_weights.fitting import fit_foreign
from residua.models.model_file import Model
from residua.variables import flatten

# Pictures of ImageNet are read at 256 pixels and their middle 224 kept (Krizhevsky et al. 2012, section 2).
LARGE, LARGE_RESIZE = 224, 256
NAMES = "classes.txt"


def import_model(path: Path, config: ImportConfig) -> Model:
    """The model that the weights in a file or folder belong to; every one of them is accounted for.

    Raises ModelFileError where the weights fit no model, or not the one that was asked for, ConfigError
    where the options do not fit the network.
    """
    name, network, variables = fit_foreign(read_weights(path), config.model, str(path), config.size)
    size = find_card(name).input_shape[0] if config.size is None else config.size
    resize = config.resize
    if resize is None and size == LARGE:
        resize = LARGE_RESIZE
    channels = _channels(flatten(network.init(ZeroGenerator())))
    for option in ("mean", "std"):
        if len(getattr(config, option)) != channels:
            raise ConfigError(f"--{option} takes {channels} numbers for this network, one per channel")
    if resize is not None and resize < size:
        raise ConfigError(f"--resize takes the --size of {size} pixels or more; it was given {resize}")
    (count,) = network.output_shape((size, size, channels))
    classes, data = _class_names(config.classes, path, count)
    return Model(
        name,
        network,
        variables,
        classes,
        Preprocessing(
            *(size, size, channels, config.mean, config.std),
            resize=None if resize == size else resize,
            order=config.order,
        ),
        {"data": data, "kind": "published" if data else None, "imported_from": path.name},
    )


def _channels(shapes: dict[str, object]) -> int:
    """Those of the pictures: what the first convolution reads."""
    for array in shapes.values():
        shape: tuple[int, ...] = getattr(array, "shape", ())
        if len(shape) == 4:
            return shape[2]
    raise ModelFileError("the network has no convolution: its pictures' channels are not known")


def _class_names(given: str | None, weights: Path, count: int) -> tuple[tuple[str, ...], str | None]:
    """The names of the classes, and the data set that they are those of."""
    data = None
    if given is None:
        beside = [folder / NAMES for folder in (weights, weights.parent) if (folder / NAMES).is_file()]
        names = read_class_names(beside[0]) if weights.is_dir() and beside else ()
        if len(names) != count:  # somebody else's list
            return tuple(f"class{number}" for number in range(count)), None
    elif given in DATASETS:
        names, data = DATASETS[given].classes, given
    elif Path(given).is_file():
        names = read_class_names(Path(given))
    else:
        names = tuple(name.strip() for name in given.split(","))
    if len(names) != count or len(set(names)) != count:
        raise ConfigError(f"--classes takes {count} different names for this network; {len(names)} came")
    return names, data


def read_class_names(path: Path) -> tuple[str, ...]:
    """One name a line; of ImageNet's "n01440764 tench" the words alone, but where two classes share them.

    Raises ConfigError where the file cannot be read.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the names of the classes in {path}: {error}") from None
    lines = [line for line in lines if line]
    parts = [re.fullmatch(r"(n\d{8})\s+(.+)", line) for line in lines]
    found = [part for part in parts if part is not None]
    if len(found) < len(lines):
        return tuple(lines)
    seen = Counter(part[2] for part in found)
    return tuple(part[2] if seen[part[2]] == 1 else f"{part[2]} ({part[1]})" for part in found)
