"""What a model gets wrong, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, data_option, ignore, output_stem, save_picture, written_after
from residua.config import EvaluateConfig, MistakesConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.mistakes.numbers import Mistakes


def mistakes(
    model: str | Path,
    data: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Mistakes, list[Path]]:
    """The wrong answers of a model, worst first, and sheets of them beside the model, or in `output`.

    options: the fields of `MistakesConfig`. Without any mistake the sheet says so. on_result: hears of the
    mistakes before anything is drawn. Raises ResiduaError.
    """
    from residua.insight.evaluation.predictions import predict_split
    from residua.insight.mistakes.figure import label_errors_figure, mistakes_figure, pairs_figure
    from residua.insight.mistakes.numbers import find_mistakes
    from residua.models.model_file import find_model, load_model

    config = configure(MistakesConfig, data_option(data) | options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    result = find_mistakes(predict_split(loaded, EvaluateConfig.of(config), say))
    with written_after(result, on_result):
        drawn = [save_picture(mistakes_figure(result, config.show), f"{stem}mistakes.png")]
        if len(result):
            drawn.append(save_picture(pairs_figure(result), f"{stem}pairs.png"))
        if len(result.label_errors):
            sheet = label_errors_figure(result, config.show)
            drawn.append(save_picture(sheet, f"{stem}label-errors.png"))
    return result, drawn
