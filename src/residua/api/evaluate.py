"""Evaluating a trained model, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, data_option, ignore, picture_file, written_after
from residua.config import EvaluateConfig, EvaluatePartsConfig
from residua.config.options import check, configure, split_options
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
            _draw(evaluation, picture, config, say)
    return evaluation


def evaluate_in_parts(
    model: str | Path,
    data: str | Path | None,
    parts: str | Path,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> Evaluation:
    """As `evaluate`, for splits that outgrow memory: in parts, in a folder, where the same call goes on.

    options: the fields of `EvaluateConfig` and `EvaluatePartsConfig`. The picture lies in that folder, unless
    `output` says otherwise. Raises ResiduaError; parts that are done are kept.
    """
    chosen, rest = split_options(EvaluateConfig, data_option(data) | options)
    config = configure(EvaluateConfig, chosen)
    return measure_in_parts(
        model, config, configure(EvaluatePartsConfig, rest | {"parts": str(parts)}), say, on_result
    )


def measure_in_parts(
    model: str | Path, config: EvaluateConfig, parts: EvaluatePartsConfig, say: Any, on_result: OnResult
) -> Evaluation:
    """As `evaluate_in_parts`, by its options."""
    from residua.bulk.evaluating import evaluate_in_parts as run

    config, parts = check(config), check(parts)
    evaluation, outcome = run(model, config, parts, say)
    picture = outcome.folder.path / PICTURE
    if config.output is not None:
        picture = picture_file(config.output, Path(PICTURE))
    with written_after(evaluation, on_result):
        say(outcome.text())
        _draw(evaluation, picture, config, say)
    return evaluation


def _draw(evaluation: Evaluation, picture: Path, config: EvaluateConfig, say: Any) -> None:
    from residua.insight.evaluation.figure import draw_confusion

    try:
        say(f"Picture: {draw_confusion(evaluation, make_parent(picture))}")
    except ResiduaError as error:
        if config.output is not None:
            raise
        # Nobody asked for it by name, and a model may well lie where nothing can be written.
        say(f"No picture of the confusion matrix: {error}")
