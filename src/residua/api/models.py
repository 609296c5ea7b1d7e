"""The verbs in Python: what the command line calls, and what a program or a notebook calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import made_folder
from residua.config import (
    EvaluateConfig,
    ImportConfig,
    PredictConfig,
    TrainConfig,
)
from residua.config.options import check, configure
from residua.errors import ConfigError, ResiduaError

if TYPE_CHECKING:
    from residua.insight.evaluation.numbers import Evaluation
    from residua.insight.prediction.numbers import Prediction
    from residua.models.model_file import Model
    from residua.training.progress import Reporter
    from residua.training.train import Trained


@dataclass(frozen=True)
class TrainResult:
    """A finished run.

    run: its folder. model: the file of the best model. best_epoch: from 1. validation_accuracy: the best,
    between 0 and 1, None without a validation split. test: the best model on the test split.
    """

    run: Path
    model: Path
    best_epoch: int
    validation_accuracy: float | None
    test: Evaluation | None


def train(
    data: str | Path | None = None,
    *,
    config: TrainConfig | None = None,
    resume: str | Path | None = None,
    reporter: Reporter | None = None,
    **options: Any,
) -> TrainResult:
    """Train a network: `train("digits", model="resnet8", epochs=10, rate=0.05)`.

    data: a data set's name or a folder of pictures. options: every field of `TrainConfig`'s sections,
    by name; or a whole `config`. resume: a run folder to go on with instead. reporter: hears of the
    progress (`residua.training.progress.Quiet()` for silence). Raises ResiduaError.
    """
    from residua.insight.learning_curves.figure import draw_curves
    from residua.training.progress import make_reporter
    from residua.training.train import resume_training, start_training

    reporter = reporter or make_reporter()
    if resume is not None:
        if data is not None or config is not None or options:
            raise ConfigError("--resume goes on with a run as it was begun: it takes no other options")
        from residua.training.run_folder import read_run

        chosen = read_run(Path(resume))
    else:
        if config is not None and (data is not None or options):
            raise ConfigError("give either a whole config or single options, not both")
        named = {} if data is None else {"data": str(data)}
        chosen = check(config) if config is not None else configure(TrainConfig, named | options)
    if resume is not None:
        trained = resume_training(Path(resume), reporter, draw_curves)
    else:
        trained = start_training(chosen, reporter, draw_curves)
    draw_curves(trained.run)
    test = _final_test(trained, reporter) if chosen.run.final_test else None
    return TrainResult(trained.run, trained.best, trained.best_epoch, trained.validation_accuracy, test)


def _final_test(trained: Trained, reporter: Reporter) -> Evaluation:
    """The best model on the test split, kept as test.json and confusion.png in the run folder."""
    from residua.files.durable import write_durably
    from residua.insight.evaluation.answers import evaluate_model
    from residua.insight.evaluation.figure import draw_confusion
    from residua.models.model_file import load_model

    config = trained.config
    asked = EvaluateConfig(
        data_dir=config.data.data_dir,
        labels=config.data.labels,
        engine=config.run.engine,
        threads=config.run.threads,
    )
    evaluation = evaluate_model(load_model(trained.best), asked, reporter.say)
    write_durably(trained.run / "test.json", (json.dumps(evaluation.to_dict(), indent=1) + "\n").encode())
    draw_confusion(evaluation, trained.run / "confusion.png")
    return evaluation


def evaluate(
    model: str | Path | Model, data: str | Path | None = None, *, say: Any = print, **options: Any
) -> Evaluation:
    """Evaluate a model file (or run folder) on its test split, or on other data with the same classes.

    options: the fields of `EvaluateConfig`. Writes <model>-confusion.png beside the model, or into
    `output`. Raises ResiduaError.
    """
    from residua.insight.evaluation.answers import evaluate_model
    from residua.insight.evaluation.figure import draw_confusion
    from residua.models.model_file import Model, find_model, load_model

    named = {} if data is None else {"data": str(data)}
    config = configure(EvaluateConfig, named | options)
    if isinstance(model, Model):
        loaded, place = model, None
    else:
        path = find_model(model)
        loaded, place = load_model(path), path.with_name(f"{path.stem}-confusion.png")
    if config.output is not None:
        place = made_folder(config.output) / "confusion.png"
    evaluation = evaluate_model(loaded, config, say)
    if place is not None:
        try:
            say(f"Picture: {draw_confusion(evaluation, place)}")
        except ResiduaError as error:  # the numbers are worth more than the picture
            say(f"No picture of the confusion matrix: {error}")
    return evaluation


def predict(
    model: str | Path | Model, files: str | Path | Sequence[str | Path], **options: Any
) -> list[Prediction]:
    """Name what is in pictures; folders are searched through. A bad picture's prediction has an `error`.

    options: the fields of `PredictConfig`. Raises ResiduaError where there is nothing to predict.
    """
    return list(iterate_predictions(model, files, configure(PredictConfig, options)))


def iterate_predictions(
    model: str | Path | Model, files: str | Path | Sequence[str | Path], config: PredictConfig
) -> Iterator[Prediction]:
    """As `predict`, one picture after the other as the answers come."""
    from residua.data.pictures.files import find_pictures
    from residua.insight.prediction.numbers import predict_files
    from residua.models.model_file import Model, load_model

    loaded = model if isinstance(model, Model) else load_model(model)
    named = [files] if isinstance(files, str | Path) else list(files)
    found = find_pictures(Path(entry) for entry in named)
    yield from predict_files(loaded, found, config)


def import_weights(weights: str | Path, **options: Any) -> tuple[Path, Model]:
    """Turn published weights, a file that PyTorch wrote or a folder of .npy, into a model file.

    options: the fields of `ImportConfig`. Returns the file and the model. Raises ModelFileError where the
    weights fit no model.
    """
    from residua.models.foreign_weights.importing import import_model
    from residua.models.model_file import save_model

    config = configure(ImportConfig, options)
    path = Path(weights)
    model = import_model(path, config)
    beside = path.resolve().with_name(f"{path.resolve().name}.x") if path.is_dir() else path
    output = Path(config.output) if config.output else beside.with_suffix(".model.safetensors")
    if output.is_dir():
        output = output / f"{path.stem}.safetensors"
    save_model(output, model)
    return output, model
