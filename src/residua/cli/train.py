"""The verb train."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options, refuse_two_data_sets, sections
from residua.cli.terminal import to_stdout
from residua.config import (
    DataOptions,
    ModelOptions,
    OptimizerOptions,
    RunOptions,
    ScheduleOptions,
    TrainConfig,
    TransferOptions,
)
from residua.config.options import check, chosen_options
from residua.errors import ConfigError
from residua.files.names import printable

if TYPE_CHECKING:
    from residua.api import TrainResult

_DATA, _MODEL, _TRANSFER, _OPTIMISER, _SCHEDULE, _RUN = sections(
    "Data", "Model", "Transfer", "Optimiser", "Schedule", "Run"
)


@dataclass(frozen=True)
class Files:
    """What a run's options may come from."""

    resume: str | None = None
    """A run folder to go on with, from its newest checkpoint; DATA says where its pictures are now."""
    config: str | None = None
    """A TOML file with any of these options; flags have the last word."""


def train(
    data: str | None = None,
    /,
    *,
    files: Annotated[Files, Options] = Files(),
    data_options: Annotated[DataOptions, _DATA] = DataOptions(),
    model_options: Annotated[ModelOptions, _MODEL] = ModelOptions(),
    transfer: Annotated[TransferOptions, _TRANSFER] = TransferOptions(),
    optimizer: Annotated[OptimizerOptions, _OPTIMISER] = OptimizerOptions(),
    schedule: Annotated[ScheduleOptions, _SCHEDULE] = ScheduleOptions(),
    run: Annotated[RunOptions, _RUN] = RunOptions(),
) -> int:
    """Train a network on a data set or a folder of pictures.

    Parameters
    ----------
    data
        digits, mnist, fashion-mnist, kaggle-mnist, notmnist, notmnist-small, notmnist-large, svhn,
        cifar10, cifar100, tiny-imagenet, imagenet, gtsrb, state-farm, dogs-vs-cats, or a folder of
        pictures.
    """
    from residua import api

    chosen = TrainConfig(data_options, model_options, transfer, optimizer, schedule, run)
    if files.resume is not None:
        if files.config is not None:
            raise ConfigError("--resume goes on with a run as it was begun: it takes no other options file")
        if data is not None:
            refuse_two_data_sets(data, data_options.data, DataOptions.data)
        moved = {} if data is None else {"data": data}
        result = api.train(resume=files.resume, on_result=_print_result, **chosen_options(chosen) | moved)
    else:
        if data is not None:
            if files.config is None:
                refuse_two_data_sets(data, data_options.data, DataOptions.data)
            chosen = replace(chosen, data=replace(data_options, data=data))
        result = api.train(config=check(chosen), on_result=_print_result)
    if not result.told:
        return 0
    to_stdout(f"Run folder: {printable(result.run)}  with the pictures curves.png", end="")
    to_stdout(" and confusion.png" if result.test is not None else "")
    return 0


def _print_result(result: TrainResult) -> None:
    from residua.insight.evaluation.text import measured_line

    to_stdout()
    if result.test is not None:
        copies = result.test.trained_on or 0
        part = f"of which {copies:,} are in training too" if copies else "that took no part in training"
        to_stdout(measured_line(result.test, f" {part}"))
    to_stdout(f"Best model (epoch {result.best_epoch}): {printable(result.model)}")
