"""Evaluating a trained model, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, data_option, ignore, picture_file, written_after
from residua.config import EvaluateConfig
from residua.config.options import configure
from residua.errors import ResiduaError
from residua.files.output import make_parent

if TYPE_CHECKING:
    from residua.insight.evaluation.numbers import Evaluation
    from residua.models.model_file import Model

PICTURE = "confusion.png"


def evaluate(
    model: str | Path | Model,
    data: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> Evaluation:
    """Evaluate a model file (or run folder) on its test split, or on other data with the same classes.

    options: the fields of `EvaluateConfig`. Writes <model>-confusion.png beside the model, or `output`.
    on_result: hears the evaluation before that. Raises ResiduaError.
    """
    from residua.insight.evaluation.figure import draw_confusion
    from residua.insight.evaluation.predictions import evaluate_model
    from residua.models.model_file import Model, find_model, load_model

    config = configure(EvaluateConfig, data_option(data) | options)
    if isinstance(model, Model):
        loaded, picture = model, None
    else:
        path = find_model(model)
        loaded, picture = load_model(path), path.with_name(f"{path.stem}-{PICTURE}")
    if config.output is not None:
        picture = picture_file(config.output, Path(PICTURE))
    evaluation = evaluate_model(loaded, config, say)
    with written_after(evaluation, on_result):
        if picture is not None:
            try:
                say(f"Picture: {draw_confusion(evaluation, make_parent(picture))}")
            except ResiduaError as error:
                if config.output is not None:
                    raise
                # Nobody asked for it by name, and a model may well lie where nothing can be written.
                say(f"No picture of the confusion matrix: {error}")
    return evaluation
