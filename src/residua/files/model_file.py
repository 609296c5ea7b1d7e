"""The model file: everything that is needed to use a trained network, and nothing that runs.

One safetensors file holds the weights and statistics, the network as plain data, the names of the
classes, how pictures are prepared, and how it was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from residua.data.preprocessing import Preprocessing
from residua.errors import ModelFileError
from residua.files.tensors import read_tensors, write_tensors
from residua.layers import Layer
from residua.layers.description import build, describe
from residua.variables import Tree, fill, flatten

KIND = "model file"
VERSION = 1


@dataclass(frozen=True)
class Model:
    """A trained network with all that its use needs.

    `classes` are in the order of the logits. `training` says how it was trained: plain JSON types.
    """

    name: str
    network: Layer
    variables: Tree
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    training: dict[str, Any] = field(default_factory=dict)

    def frozen(self) -> tuple[Layer, Tree]:
        """The network and variables for inference."""
        return self.network.freeze(self.variables)


def save_model(path: str | Path, model: Model) -> None:
    """Write the model file durably. Raises ResiduaError where the file cannot be written."""
    document = {
        "name": model.name,
        "network": describe(model.network),
        "classes": list(model.classes),
        "preprocessing": model.preprocessing.to_dict(),
        "training": model.training,
    }
    write_tensors(path, KIND, VERSION, flatten(model.variables), document)


def load_model(path: str | Path, layers: Mapping[str, type[Layer]] | None = None) -> Model:
    """Read a model file; every weight is accounted for.

    `layers` adds layer classes of your own to those that a file may name. Raises ModelFileError that
    says what is absent, damaged, missing, unexpected or misshapen.
    """
    if Path(path).is_dir():
        path = best_model(path)
    arrays, document = read_tensors(path, KIND, VERSION)
    try:
        network = build(document["network"], layers)
        model = Model(
            document["name"],
            network,
            fill(network.init(np.random.default_rng(0)), arrays, str(path)),
            tuple(document["classes"]),
            Preprocessing.from_dict(document["preprocessing"]),
            document["training"],
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path} lacks what a model file holds: {error}") from None
    return model


def best_model(run: str | Path) -> Path:
    """The best model of a run folder, or the last where no best was kept. Raises ModelFileError."""
    for name in ("best.safetensors", "last.safetensors"):
        if (Path(run) / name).exists():
            return Path(run) / name
    raise ModelFileError(f"{run} is a folder without best.safetensors: give a model file or a run folder")
