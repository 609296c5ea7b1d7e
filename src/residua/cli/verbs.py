"""The verbs that work: train, evaluate, predict, import. Each calls `residua.api` and prints."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

from cyclopts import Group, Parameter

from residua.cli.terminal import to_stderr
from residua.config import (
    DataOptions,
    EvaluateConfig,
    ImportConfig,
    ModelOptions,
    OptimizerOptions,
    PredictConfig,
    RunOptions,
    ScheduleOptions,
    TrainConfig,
    TransferOptions,
)
from residua.config.options import check
from residua.errors import ConfigError

_SECTIONS = {
    name: Group(name, sort_key=place)
    for place, name in enumerate(("Data", "Model", "Transfer", "Optimiser", "Schedule", "Run"))
}
_Switch = Annotated[bool, Parameter(negative="")]


def train(
    data: str | None = None,
    /,
    *,
    resume: str | None = None,
    config: str | None = None,
    data_options: Annotated[DataOptions, Parameter(name="*", group=_SECTIONS["Data"])] = DataOptions(),
    model_options: Annotated[ModelOptions, Parameter(name="*", group=_SECTIONS["Model"])] = ModelOptions(),
    transfer: Annotated[
        TransferOptions, Parameter(name="*", group=_SECTIONS["Transfer"])
    ] = TransferOptions(),
    optimizer: Annotated[
        OptimizerOptions, Parameter(name="*", group=_SECTIONS["Optimiser"])
    ] = OptimizerOptions(),
    schedule: Annotated[
        ScheduleOptions, Parameter(name="*", group=_SECTIONS["Schedule"])
    ] = ScheduleOptions(),
    run: Annotated[RunOptions, Parameter(name="*", group=_SECTIONS["Run"])] = RunOptions(),
) -> int:
    """Train a network on a data set or a folder of pictures.

    Parameters
    ----------
    data
        digits, mnist, fashion-mnist, kaggle-mnist, notmnist, notmnist-small, notmnist-large, svhn,
        cifar10, cifar100, tiny-imagenet, imagenet, gtsrb, state-farm, dogs-vs-cats, or a folder of
        pictures.
    resume
        A run folder to go on with, from its newest checkpoint.
    config
        A TOML file with any of these options; flags have the last word.
    """
    from residua import api

    chosen = TrainConfig(data_options, model_options, transfer, optimizer, schedule, run)
    if resume is not None:
        if data is not None or config is not None or chosen != TrainConfig():
            raise ConfigError("--resume goes on with a run as it was begun: it takes no other options")
        result = api.train(resume=resume)
    else:
        if data is not None:
            if config is None and data_options.data not in (DataOptions.data, data):
                raise ConfigError(f"two data sets were named, {data} and {data_options.data}: choose one")
            chosen = replace(chosen, data=replace(data_options, data=data))
        result = api.train(config=check(chosen))
    print()
    if result.test is not None:
        low, high = result.test.interval
        print(
            f"Test accuracy: {100 * result.test.accuracy:.2f} % "
            f"({result.test.correct:,} of {result.test.pictures:,} pictures that took no part in training; "
            f"95 % interval {100 * low:.2f} to {100 * high:.2f})"
        )
    print(f"Best model (epoch {result.best_epoch}): {result.model}")
    print(f"Run folder: {result.run}  with the pictures curves.png", end="")
    print(" and confusion.png" if result.test is not None else "")
    return 0


def evaluate(
    model: str,
    /,
    *,
    json: _Switch = False,
    options: Annotated[EvaluateConfig, Parameter(name="*")] = EvaluateConfig(),
) -> int:
    """Measure a model on pictures that it was not trained on.

    Parameters
    ----------
    model
        A model file or a run folder.
    json
        Print everything as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.evaluation.numbers import evaluation_text

    evaluation = api.evaluate(model, say=to_stderr, **vars(options))
    print(json_module.dumps(evaluation.to_dict()) if json else evaluation_text(evaluation))
    return 0


def predict(
    model: str,
    /,
    *files: str,
    json: _Switch = False,
    csv: _Switch = False,
    options: Annotated[PredictConfig, Parameter(name="*")] = PredictConfig(),
) -> int:
    """Name what is in pictures.

    Parameters
    ----------
    model
        A model file or a run folder.
    files
        Pictures, folders of pictures, or tables of pixels as Kaggle's test.csv.
    json
        Print a JSON list.
    csv
        Print a CSV table: file, class, probability, and so on down to the last of --top.
    """
    from residua import api
    from residua.insight.prediction.text import write_csv, write_json, write_text
    from residua.models.model_file import load_model

    if not files:
        raise ConfigError("predict needs pictures or folders after the model")
    if json and csv:
        raise ConfigError("choose one of --json and --csv")
    loaded = load_model(model)
    predictions = api.iterate_predictions(loaded, files, check(options))
    write = write_json if json else write_csv if csv else write_text
    bad = write(predictions, sys.stdout, min(options.top, len(loaded.classes)))
    for prediction in bad:
        to_stderr(f"residua: {prediction.error}")
    return 1 if bad else 0


def import_(
    weights: str, /, *, options: Annotated[ImportConfig, Parameter(name="*")] = ImportConfig()
) -> int:
    """Turn published weights (PyTorch's .pth, .pt, .th, .safetensors; folders of .npy) into a model file.

    Parameters
    ----------
    weights
        The file or folder; it is read without PyTorch, and nothing in it is run.
    """
    from residua import api
    from residua.variables import count_parameters

    path, model = api.import_weights(weights, **vars(options))
    print(f"{model.name} with {count_parameters(model.variables):,} parameters, {len(model.classes)} classes")
    shape = model.preprocessing
    margin = "" if shape.resize is None else f", the middle of {shape.resize}x{shape.resize}"
    print(
        f"pictures of {shape.height}x{shape.width}{margin}, {shape.order if shape.channels == 3 else 'grey'}"
    )
    print(f"normalised with mean {shape.mean} and deviation {shape.std}")
    print(f"Model file: {path}")
    return 0
