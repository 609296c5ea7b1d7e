"""The verb find-rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Switch, print_pictures, printer, refuse_two_data_sets, sections
from residua.cli.terminal import to_stderr
from residua.config import DataOptions, FindRateOptions, ModelOptions, OptimizerOptions, TransferOptions

if TYPE_CHECKING:
    from residua.training.learning_rate_finder import Sweep

_SWEEP, _DATA, _MODEL, _TRANSFER, _OPTIMIZER = sections("Sweep", "Data", "Model", "Transfer", "Optimiser")


def find_rate(
    data: str,
    /,
    *,
    json: Switch = False,
    sweep: Annotated[FindRateOptions, _SWEEP] = FindRateOptions(),
    data_options: Annotated[DataOptions, _DATA] = DataOptions(),
    model_options: Annotated[ModelOptions, _MODEL] = ModelOptions(),
    transfer: Annotated[TransferOptions, _TRANSFER] = TransferOptions(),
    optimizer: Annotated[OptimizerOptions, _OPTIMIZER] = OptimizerOptions(),
) -> int:
    """Find a learning rate: train a moment with rates that rise from far too low to far too high.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    json
        Print everything as JSON.
    """
    from residua import api

    refuse_two_data_sets(data, data_options.data, DataOptions.data)
    chosen = vars(data_options) | vars(model_options) | vars(transfer) | vars(optimizer) | vars(sweep)
    show = printer(json, _text)
    _, path = api.find_rate(say=to_stderr, on_result=show, **chosen | {"data": data})
    if not json:
        print_pictures([path])
    return 0


def _text(result: Sweep) -> str:
    rate = "no rate" if result.suggested is None else f"--rate {result.suggested:g}"
    return f"{rate}   (the sweep ended: {result.ended})\n{result.reason}"
