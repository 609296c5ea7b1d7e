"""Finding a learning rate, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, ignore, picture_file, save_picture, written_after
from residua.config import FindRateConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.training.learning_rate_finder import Sweep


def find_rate(
    data: str | Path, *, say: Any = print, on_result: OnResult = ignore, **options: Any
) -> tuple[Sweep, Path]:
    """Sweep the learning rate from low to high; what came of it, and its picture, rates-DATA.png or `output`.

    options: the fields of `FindRateOptions`, and of training's data, model, transfer and optimiser. Nothing
    of the training is kept. on_result: hears of the sweep before it is drawn. Raises ResiduaError.
    """
    from residua.insight.learning_curves.figure import sweep_figure
    from residua.training.learning_rate_finder import sweep_rates

    config = configure(FindRateConfig, {"data": data} | options)
    path = picture_file(config.sweep.output, Path(f"rates-{Path(config.data.data).name or 'pictures'}.png"))
    sweep = sweep_rates(config, say)
    with written_after(sweep, on_result):
        save_picture(sweep_figure(sweep), path)
    return sweep, path
