"""What the pipelines work on: photographs, CIFAR-10's pictures, SqueezeNet's weights, or stand-ins.

Where RESIDUA_DATA has them they are the published ones; elsewhere made-up ones of the same sizes, which
take as long.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from residua.bench import data_loading
from residua.config import ImportConfig
from residua.data.preprocessing import Preprocessing
from residua.models.architectures.squeezenet import squeezenet
from residua.models.foreign_weights.importing import import_model
from residua.models.model_file import Model, save_model
from residua.variables import Tree

PREDICTED = 1000  # photographs
CLASSES = ("cat", "dog")
EACH = 700  # photographs of a class, at most
WEIGHTS, PHOTOGRAPHS = "weights/squeezenet1.1-imagenet", "cats-dogs"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


@dataclass(frozen=True)
class Material:
    """Files that both sides read. kind: what the photographs are, for the table."""

    folder: Path
    kind: str
    variables: Tree

    @property
    def model(self) -> Path:
        """SqueezeNet as a model file."""
        return self.folder / "squeezenet.safetensors"

    @property
    def weights(self) -> Path:
        """The same weights as PyTorch keeps them."""
        return self.folder / "pytorch-squeezenet.safetensors"

    @property
    def names(self) -> Path:
        """The names of its classes, a line each."""
        return self.folder / "classes.txt"

    @property
    def photographs(self) -> Path:
        """A folder of photographs."""
        return self.folder / "photographs"

    @property
    def classes(self) -> Path:
        """A folder of two classes."""
        return self.folder / "classes"


def make_material(folder: Path) -> Material:
    """Write or link all of it into a folder."""
    root = Path(os.environ.get("RESIDUA_DATA", os.devnull))
    model = _model(root)
    save_model(folder / "squeezenet.safetensors", model)
    (folder / "classes.txt").write_text("\n".join(model.classes), encoding="utf-8")
    found = {name: sorted((root / PHOTOGRAPHS / name).glob("*.jpg"))[:EACH] for name in CLASSES}
    kind = "of cats and dogs"
    if not all(found.values()):
        found, kind = _made_up(folder / "made-up"), "that were made up"
    for name, files in found.items():
        (folder / "classes" / name).mkdir(parents=True)
        for file in files:
            (folder / "classes" / name / file.name).symlink_to(file.resolve())
    every = [file for pair in zip(*found.values(), strict=False) for file in pair][:PREDICTED]
    (folder / "photographs").mkdir()
    for number, file in enumerate(every):
        (folder / "photographs" / f"{number:04}-{file.name}").symlink_to(file.resolve())
    return Material(folder, f"{len(every):,} photographs {kind}", model.variables)


def _model(root: Path) -> Model:
    """SqueezeNet with its published weights; new ones where these are not there."""
    if (root / WEIGHTS).is_dir():
        return import_model(root / WEIGHTS, ImportConfig())
    network = squeezenet(rectified=True)
    shape = Preprocessing(224, 224, 3, MEAN, STD, resize=256)
    names = tuple(f"class{number}" for number in range(1000))
    return Model("squeezenet", network, network.init(np.random.default_rng(0)), names, shape)


def _made_up(folder: Path) -> dict[str, list[Path]]:
    """JPEG files of the size that ImageNet's have, with as much in them."""
    from PIL import Image

    rng, found = np.random.default_rng(0), dict[str, list[Path]]()
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        found[name] = []
        for number in range(EACH):
            rough = Image.fromarray(rng.integers(0, 256, (38, 50, 3), np.uint8))
            fine = np.asarray(rough.resize((500, 375), Image.Resampling.BICUBIC)).astype(np.int16)
            noisy = np.clip(fine + rng.normal(0, 8, fine.shape), 0, 255).astype(np.uint8)
            file = folder / name / f"{name}.{number}.jpg"
            Image.fromarray(noisy).save(file, quality=90)
            found[name].append(file)
    return found


def write_small_pictures(folder: Path, batch: int) -> tuple[Path, Path, str]:
    """CIFAR-10's training pictures as two .npy files, pixels and labels; and which they are."""
    pictures, kind = data_loading.training_pictures(batch)
    pixels, labels = folder / "pixels.npy", folder / "labels.npy"
    np.save(pixels, np.asarray(pictures.images))
    np.save(labels, pictures.labels)
    return pixels, labels, kind
