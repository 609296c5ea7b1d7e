"""What reads each kind of file as residua does, and then uses what was read."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from foreign_files import safetensors_bytes
from PIL import Image

from fuzzing import seeds
from residua import Classifier
from residua.config import EvaluateConfig, ImportConfig, PredictConfig, TrainConfig
from residua.config.options import configure, read_toml, to_toml
from residua.data.pictures.decoding import decode, read_picture
from residua.data.sources.archives import unpack
from residua.data.sources.label_table import read_label_table
from residua.data.sources.layouts.reading import read_columns
from residua.data.sources.readers.cifar import read_cifar_binary, read_cifar_python
from residua.data.sources.readers.idx import read_idx
from residua.data.sources.readers.matlab import read_matlab
from residua.data.sources.readers.pixel_table import is_pixel_table, read_labelled_table, read_pixel_table
from residua.data.sources.readers.svhn import read_svhn
from residua.errors import ResiduaError
from residua.files.published_weights import read_npy_folder, read_weights
from residua.files.tensors import _digest
from residua.insight.comparison.runs import run_facts
from residua.insight.evaluation.predictions import open_data
from residua.insight.inspection.statistics import layer_names, read_statistics_of, values_by_epoch
from residua.insight.learning_curves.figure import curves_figure
from residua.insight.learning_curves.numbers import check_epochs, run_labels
from residua.insight.prediction.numbers import predict_files
from residua.insight.prediction.text import write_json
from residua.layers.cost import largest_output
from residua.models.ensemble import join_models
from residua.models.foreign_weights.class_names import find_class_names, read_class_names
from residua.models.foreign_weights.fitting import fit_weights
from residua.models.foreign_weights.importing import import_model
from residua.models.head_replacement import replace_head
from residua.models.model_file import load_model, save_model
from residua.models.summary import layer_table
from residua.training.checkpoint import Position, read_checkpoint, write_checkpoint
from residua.training.run_folder import read_environment, read_log, read_run, read_seconds

# A model that says it needs more than this is what it says: it is read, but not used here.
MOST_WORK, MOST_NUMBERS = 3e6, 300_000
STATE = {"variables": {"w": np.zeros((2, 3), np.float32)}, "slots": {"w": np.ones((2, 3), np.float32)}}
_NPY = io.BytesIO()
np.save(_NPY, np.arange(6, dtype=np.float32).reshape(2, 3))
NPY = _NPY.getvalue()
INDEX = json.dumps({
    "metadata": {"total_size": 100},
    "weight_map": {name: f"model-0000{1 + (i % 2)}-of-00002.safetensors" for i, name in enumerate(seeds.weights())},
}).encode()  # fmt: skip


def prepare(folder: Path) -> bytes:
    """What stands beside the files: pictures, shards, a run folder. Returns its run.toml."""
    import tomli_w

    for name, colour in (("blue", (20, 30, 200)), ("red", (200, 30, 20)), ("green", (30, 200, 20))):
        (folder / "pics" / name).mkdir(parents=True, exist_ok=True)
        for number in range(5):
            pixels = np.clip(np.array(colour) + seeds.RNG.integers(-20, 20, (9, 9, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "pics" / name / f"{number}.png")
    every = seeds.weights()
    for number in (0, 1):
        part = {name: array for i, (name, array) in enumerate(every.items()) if i % 2 == number}
        (folder / f"model-0000{number + 1}-of-00002.safetensors").write_bytes(safetensors_bytes(part))
    for name in ("run", "npy"):
        (folder / name).mkdir(exist_ok=True)
    config = configure(TrainConfig, {"data": "pics", "epochs": 3, "model": "resnet8", "size": 8})
    tables = {
        "format": 1,
        "versions": {"numpy": "2"},
        "machine": {"processor": "x", "cores": 2},
        **to_toml(config),
    }
    text = tomli_w.dumps(tables).encode()
    for name, data in (("run.toml", text), ("log.jsonl", seeds.LOG), ("timing.jsonl", seeds.TIMING),
                       ("statistics.jsonl", seeds.STATISTICS)):  # fmt: skip
        (folder / "run" / name).write_bytes(data)
    return text


def checkpoint(folder: Path) -> bytes:
    """A small checkpoint."""
    return write_checkpoint(folder, STATE, Position(epoch=1, step=7), "ab").read_bytes()


@cache
def _arrays(body: bytes, header: bytes) -> Any:
    from safetensors.numpy import load

    return load(header + body)


def digest(data: bytes, document: str) -> str:
    """The checksum that fits a changed document."""
    length = int.from_bytes(data[:8], "little")
    inner = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["residua"])
    return _digest(inner["kind"], inner["version"], document, _arrays(data[8 + length :], data[: 8 + length]))


def warm(folder: Path) -> None:
    """What a process does once, such as looking for fonts."""
    curves_figure([folder / "run"])
    run_labels([folder / "run"])


def _quiet(text: str) -> None:
    """Nobody listens."""


def use_model(path: Path, rng: random.Random) -> None:
    """Load, predict, and now and then all the rest that a model file is for."""
    model = load_model(path)
    shape = model.preprocessing
    size = (shape.height, shape.width, shape.channels)
    area = shape.reading[0] * shape.reading[1] * shape.channels
    if model.work(1) > MOST_WORK or max(area, largest_output(model.network, size)) > MOST_NUMBERS:
        return
    config = PredictConfig(engine="numpy")
    if model.calibration is not None and rng.random() < 0.3:
        config = PredictConfig(engine="numpy", reject_accuracy=rng.choice((0.1, 0.9)))
    write_json(predict_files(model, [path.parent / "pics" / "red" / "0.png"], config), io.StringIO(), 3)
    classifier = Classifier.load(path)
    if size[2] in (1, 3):
        classifier.predict(np.zeros((1, *shape.stored, size[2]), np.uint8))
    join_models([model, model], ["a", "b"])
    save_model(path.with_name("again.safetensors"), model)
    with contextlib.suppress(ResiduaError):
        replace_head(model.network, 5, "x")
    if rng.random() < 0.3:
        layer_table(model.name, model.network, size)
    if rng.random() < 0.15:
        open_data(model, EvaluateConfig(engine="numpy"), _quiet)


def use_weights(path: Path, rng: random.Random) -> None:
    """Read, and fit into the network that they belong to; now and then all the way to a model."""
    weights = read_weights(path)
    if rng.random() < 0.02:
        import_model(path, ImportConfig(size=8))
    else:
        fit_weights(weights, "resnet8", str(path), 8)


def use_npy(path: Path, rng: random.Random) -> None:
    """As one weight of a folder."""
    folder = path.parent / "npy"
    shutil.copy(path, folder / "a.npy")
    read_npy_folder(folder)


def use_idx(path: Path, rng: random.Random) -> None:
    """As pictures and as labels."""
    read_idx(path, 3)


def use_cifar(path: Path, rng: random.Random) -> None:
    """As a pickled batch, else as a binary one."""
    rng.choice((read_cifar_python, read_cifar_python, read_cifar_python, read_cifar_binary))(path, 10)


def use_archive(path: Path, rng: random.Random) -> None:
    """Unpacked beside itself."""
    folder = path.parent / "cifar-10-batches-py"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        unpack(path, "cifar-10-batches-py")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def use_matlab(path: Path, rng: random.Random) -> None:
    """SVHN's, and any."""
    rng.choice((read_svhn, read_matlab))(path)


def use_labels(path: Path, rng: random.Random) -> None:
    """A table of labels, and as a layout's table of columns."""
    if rng.random() < 0.7:
        read_label_table(path, path.parent / "pics")
    else:
        read_columns(path, ["file", "label"])


def use_pixels(path: Path, rng: random.Random) -> None:
    """A table of pixels."""
    if is_pixel_table(path):
        read_pixel_table(path)
    if rng.random() < 0.5:
        read_labelled_table(path, 10, 4)


def use_classes(path: Path, rng: random.Random) -> None:
    """A list of classes."""
    if rng.random() < 0.5:
        read_class_names(path)
    else:
        find_class_names(str(path), path, 3)


def _into_run(path: Path, name: str) -> Path:
    run = path.parent / "runs" / name
    shutil.copytree(path.parent / "run", run, dirs_exist_ok=True)
    shutil.copy(path, run / name)
    return run


def use_log(path: Path, rng: random.Random) -> None:
    """Epochs for curves and comparisons."""
    run = _into_run(path, "log.jsonl")
    rows = read_log(run)
    if rng.random() < 0.1:
        check_epochs([run])
        run_labels([run])
    if rows and rng.random() < 0.004:
        curves_figure([run])
    _ = [float(row["train_loss"]) + float(row["train_error"]) + int(row["epoch"]) for row in rows]


def use_timing(path: Path, rng: random.Random) -> None:
    """Seconds."""
    read_seconds(_into_run(path, "timing.jsonl"))


def use_statistics(path: Path, rng: random.Random) -> None:
    """Numbers to draw."""
    rows = read_statistics_of(_into_run(path, "statistics.jsonl"))
    for key in ("weight_std", "dead", "off"):
        values_by_epoch(rows, layer_names(rows), key)


def use_run(path: Path, rng: random.Random) -> None:
    """A run's options, and the same file as --config."""
    run = _into_run(path, "run.toml")
    try:
        read_run(run)
        read_environment(run)
        run_facts(run, "a", _quiet)
    finally:
        configure(TrainConfig, read_toml(path))


def use_checkpoint(path: Path, rng: random.Random) -> None:
    """What a run resumes from."""
    folder = path.parent / "resumed"
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder / "checkpoint-000000007.safetensors")
    read_checkpoint(folder, STATE, [])


def use_picture(path: Path, rng: random.Random) -> None:
    """Decoded in colour and in grey."""
    read_picture(path, 8, 8, 3)
    if rng.random() < 0.3:
        decode(path.read_bytes(), os.fspath(path), (5, 7, 1))
