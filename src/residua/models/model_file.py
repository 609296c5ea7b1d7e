"""The model file: everything that is needed to use a trained network, and nothing that runs.

One safetensors file holds the weights and statistics, the network as plain data, the names of the
classes, how pictures are prepared, and how it was trained.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from residua.data.preprocessing import Preprocessing
from residua.data.seen_pictures import SeenPictures
from residua.errors import ModelFileError, one_line
from residua.files.tensors import read_tensors, write_tensors
from residua.layers import Layer
from residua.layers.cost import largest_output
from residua.layers.parameters import ZeroGenerator
from residua.layers.serialization import build, describe
from residua.models.calibration import Calibration, tempered
from residua.models.training_record import MOST_LETTERS, check_training
from residua.variables import Tree, fill, flatten, settled

KIND = "model file"
VERSION = 1
ALWAYS_ALLOWED = 10_000_000  # numbers that may always be taken memory for
MOST_NUMBERS = 2**28  # that a layer gives for one picture: 1 GiB; VGG at 224x224 gives 3 million
MOST_WORK = 1e13  # multiply-adds of one picture; VGG at 224x224 has 2e10


@dataclass(frozen=True)
class Model:
    """A trained network with all that its use needs.

    `classes` are in the order of the logits. `training` says how it was trained: plain JSON types.
    `calibration` is what `residua calibrate` found, None before. `seen` knows the pictures again that it was
    trained on; None where that is not kept. `file` is where it was read from.
    """

    name: str
    network: Layer
    variables: Tree
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    training: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    seen: SeenPictures | None = None
    file: Path | None = field(default=None, compare=False)

    def work(self, pictures: int) -> float:
        """Multiply-adds of one pass over so many pictures."""
        shape = self.preprocessing
        return float(pictures * self.network.multiply_adds((shape.height, shape.width, shape.channels)))

    def frozen(self) -> tuple[Layer, Tree]:
        """The network and variables for inference, its temperature included."""
        temperature = 1.0 if self.calibration is None else self.calibration.temperature
        network, variables = tempered(*self.network.freeze(self.variables), temperature)
        return network, settled(variables, self.variables)


def save_model(path: str | Path, model: Model) -> None:
    """Write the model file durably. Raises ResiduaError where the file cannot be written."""
    document = {
        "name": model.name,
        "network": describe(model.network),
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.to_dict(),
        "training": model.training,
    }
    if model.calibration is not None:
        document["calibration"] = model.calibration.to_dict()
    if model.seen is not None:
        document["seen"] = model.seen.to_dict()
    write_tensors(path, KIND, VERSION, flatten(model.variables), document)


def load_model(path: str | Path, layers: Mapping[str, type[Layer]] | None = None) -> Model:
    """Read a model file; every weight is accounted for.

    `layers` adds layer classes of your own to those that a file may name. Raises ModelFileError that
    says what is absent, damaged, missing, unexpected or misshapen.
    """
    path = find_model(path)
    arrays, document = read_tensors(path, KIND, VERSION)
    try:
        network = build(document["network"], layers)
        preprocessing = Preprocessing.from_dict(document["preprocessing"])
        name, classes, training = document["name"], document["classes"], document["training"]
        _check_names(name, classes, training)
        classes = tuple(classes)
        stored = document.get("calibration")
        calibration = None if stored is None else Calibration.from_dict(stored)
        known = document.get("seen")
        seen = None if known is None else SeenPictures.from_dict(known)
        shape = (preprocessing.height, preprocessing.width, preprocessing.channels)
        outputs = network.output_shape(shape)
        if outputs != (len(classes),) or len(set(classes)) != len(classes):
            raise ValueError(f"its network gives {outputs}, for {len(classes)} names of classes")
        _check_cost(network, preprocessing)
        template = network.init(_BoundedZeroGenerator(sum(array.size for array in arrays.values())))
        variables = fill(template, arrays, str(path))
        _check_numbers(arrays)
        model = Model(name, network, variables, classes, preprocessing, training, calibration, seen, path)
        if not (work := model.work(1)) <= MOST_WORK:
            raise ValueError(f"one picture would take {work:.1e} multiplications, more than any network")
    except ModelFileError as error:
        raise error if str(path) in str(error) else ModelFileError(f"{path}: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else one_line(error, 400)
        raise ModelFileError(f"{path} is not a usable model file: {reason}") from None
    except MemoryError:
        raise ModelFileError(f"{path} asks for more memory than there is") from None
    return model


def _check_names(name: Any, classes: Any, training: Any) -> None:
    """Raise ValueError unless the names are texts of a bearable length, and the record of training is one."""
    if not isinstance(classes, list) or not all(isinstance(text, str) for text in (name, *classes)):
        raise ValueError("its names are no text")
    if any(len(text) > most for text, most in [(name, MOST_LETTERS), *((text, 1000) for text in classes)]):
        raise ValueError("it has a name of thousands of letters")
    if not isinstance(training, dict):
        raise ValueError("its record of training is no table")
    check_training(training)


def _check_cost(network: Layer, preprocessing: Preprocessing) -> None:
    """Raise ValueError where one picture alone would take more memory than any network does."""
    height, width, channels = preprocessing.height, preprocessing.width, preprocessing.channels
    tall, wide = preprocessing.reading
    read, seen = tall * wide * channels, height * width * channels
    most = max(read, seen, preprocessing.stored[0] * preprocessing.stored[1] * channels)
    if most > MOST_NUMBERS or (most := largest_output(network, (height, width, channels))) > MOST_NUMBERS:
        raise ValueError(f"for one picture it would make {most:,} numbers at once, more than any network")


def _check_numbers(arrays: Mapping[str, Any]) -> None:
    """Raise ValueError for weights that give no answer."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"its {name} holds numbers that are not finite")
        if name.rpartition(".")[2] == "running_var" and array.size and array.min() < 0:
            raise ValueError(f"its {name} holds variances below zero")


class _BoundedZeroGenerator(ZeroGenerator):
    """Zeros where a layer would draw, and a refusal where the file cannot hold as many.

    A few kilobytes can describe a network of any size; memory is not taken for what is not there.
    """

    def __init__(self, stored: int) -> None:
        super().__init__()
        self.most = 4 * stored + ALWAYS_ALLOWED

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        self.most -= math.prod(size)
        if self.most < 0:
            raise ValueError("it describes a network much larger than the weights that it holds")
        return super().normal(loc, scale, size)


def find_model(path: Any) -> Path:
    """The model file that a name, of a file or a run folder, means. Raises ModelFileError as `best_model`."""
    if not isinstance(path, str | os.PathLike):
        kind = type(path).__name__
        raise ModelFileError(f"a model is named by its file or run folder; this is of the kind {kind}")
    named = Path(path)
    try:
        folder = named.is_dir()
    except (OSError, ValueError):
        folder = False  # told when it is read, as of any file
    return best_model(named) if folder else named


def best_model(run: str | Path) -> Path:
    """The best model of a run folder, or the last where no best was kept. Raises ModelFileError."""
    for name in ("best.safetensors", "last.safetensors"):
        if (Path(run) / name).exists():
            return Path(run) / name
    raise ModelFileError(f"{run} is a folder without best.safetensors: give a model file or a run folder")
