"""Pretrained models that training begins with (`--from`, `--weights`): checked, loaded, given a new head."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from residua.config import DataOptions, ImportConfig, TrainConfig, TransferOptions
from residua.data import DATASETS, DataSet
from residua.errors import ConfigError, DataError, ModelFileError
from residua.files.regular import require_file
from residua.layers import Layer
from residua.models.foreign_weights.importing import import_model
from residua.models.head_replacement import replace_head
from residua.models.model_file import Model, load_model
from residua.models.stages import frozen_layers
from residua.variables import Tree

COPY = "base.safetensors"  # in the run folder, so that a run can be resumed without what it began with


@dataclass(frozen=True)
class Pretrained:
    """A trained model to begin with; `keeps_head` says whether its own last layer stays."""

    model: Model
    source: str
    keeps_head: bool

    def initial(self, classes: tuple[str, ...], seed: int) -> tuple[Layer, Tree]:
        """The network for these classes, and where its training starts.

        Raises ModelFileError where there is no head to replace, ConfigError where the classes are others.
        """
        if self.keeps_head:
            self._check_classes(classes)
            return self.model.network, self.model.variables
        network = replace_head(self.model.network, len(classes), self.source)
        drawn = network.init(np.random.default_rng([seed, 1]))
        new = next(reversed(network.layers))
        return network, {name: drawn[name] if name == new else self.model.variables[name] for name in drawn}

    def _check_classes(self, classes: tuple[str, ...]) -> None:
        known = self.model.classes
        named = any(name != f"class{number}" for number, name in enumerate(known))
        if len(known) != len(classes) or (named and known != classes):
            raise ConfigError(
                f"{self.source} tells apart {len(known)} classes ({', '.join(known[:3])}, ...), the data "
                f"has {len(classes)} ({', '.join(classes[:3])}, ...): --from gives it a new head for them"
            )


def check_transfer_options(config: TrainConfig) -> None:
    """Raise ConfigError for options of which one needs or excludes another."""
    options, model = config.transfer, config.model
    if options.from_ is not None and options.weights is not None:
        raise ConfigError("--from gives a base a new head, --weights keeps its own: choose one")
    for name in ("freeze", "unfreeze_at", "depth_rate"):
        if options.from_ is None and getattr(options, name) != getattr(TransferOptions, name):
            raise ConfigError(f"--{name.replace('_', '-')} is about a base: name it with --from")
    if options.freeze == 0 and options.unfreeze_at is not None:
        raise ConfigError("--unfreeze-at needs stages that are frozen until then: leave out --freeze 0")
    epochs = config.schedule.epochs
    if options.unfreeze_at is not None and epochs is not None and options.unfreeze_at > epochs:
        raise ConfigError(
            f"--unfreeze-at takes an epoch up to the last, {epochs}; it was given {options.unfreeze_at}"
        )
    if options.from_ is None and options.weights is None:
        return
    for name in ("width", "shortcut", "stem", "dropout"):
        if getattr(model, name) is not None:
            raise ConfigError(f"--{name} builds a new network, and the base is one already: leave it out")
    if model.hidden:
        raise ConfigError("--hidden builds a new network, and the base is one already: leave it out")


def load_pretrained(config: TrainConfig, run: Path | None = None) -> Pretrained | None:
    """The pretrained model that the options name, None where they name none.

    run: a run folder, whose copy of the model is taken. Raises ModelFileError, or ConfigError where it is
    another network or of another size than asked for.
    """
    check_transfer_options(config)
    options = config.transfer
    source = options.from_ or options.weights
    if source is None:
        return None
    name = config.model.model
    model = _load(Path(source), name) if run is None else load_model(run / COPY)
    if name is not None and name != model.name:
        raise ConfigError(f"{source} is a {model.name}, not a {name}: leave --model out")
    height = model.preprocessing.height
    if config.data.size not in (None, height):
        raise ConfigError(
            f"{source} was trained on pictures of {height}x{model.preprocessing.width}, not of "
            f"{config.data.size}: leave --size out"
        )
    if options.freeze is not None and not isinstance(options.freeze, str):
        with_head = replace_head(model.network, 2, source)
        frozen_layers(with_head, options.freeze, model.name)  # before minutes of reading pictures
    return Pretrained(model, source, options.weights is not None)


def _load(path: Path, name: str | None) -> Model:
    """A model file, a run folder's best model, or published weights (of the model of that name)."""
    if path.is_dir() and any((path / file).exists() for file in ("best.safetensors", "last.safetensors")):
        return load_model(path)
    if not path.is_dir():
        require_file(path, ModelFileError)
    if path.is_file() and _is_model_file(path):
        return load_model(path)
    if not path.exists():
        raise ModelFileError(f"there is no {path}: name a model file, a run folder or published weights")
    return import_model(path, ImportConfig(model=name))


def _is_model_file(path: Path) -> bool:
    """Whether a safetensors file is one of ours; the header is JSON behind its length."""
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= path.stat().st_size:
                return False
            return "residua" in json.loads(stream.read(length)).get("__metadata__", {})
    except (OSError, ValueError, AttributeError):
        return False


def reading_options(options: DataOptions, pretrained: Pretrained | None) -> tuple[DataOptions, int]:
    """The data options and channels with which pictures are opened: those of a pretrained model, if any."""
    if pretrained is None:
        return options, 3
    preprocessing, card = pretrained.model.preprocessing, DATASETS.get(options.data)
    files = card is None or card.kind == "folder"
    height, width = preprocessing.reading
    sides = {"size": height, "wide": None if width == height else width} if files else {"size": None}
    return replace(options, **sides), preprocessing.channels


def check_pictures(data: DataSet, pretrained: Pretrained) -> None:
    """Raise DataError where the pictures are not such as the model was trained on."""
    shape = pretrained.model.preprocessing
    height, width = shape.reading if data.card.kind == "folder" else (shape.height, shape.width)
    if (height, width, shape.channels) != (data.height, data.width, data.channels):
        raise DataError(
            f"{data.name} has pictures of {data.height}x{data.width}x{data.channels}, {pretrained.source} "
            f"was trained on {shape.height}x{shape.width}x{shape.channels}: take a base of that size and as "
            "many channels, or a folder of pictures, which are brought to size"
        )
