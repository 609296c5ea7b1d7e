"""Joining trained models into one, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path, named_paths
from residua.api.output import OnResult, ignore, written_after
from residua.config import EnsembleConfig
from residua.config.options import configure
from residua.errors import ConfigError
from residua.files.output import make_parent, output_file

if TYPE_CHECKING:
    from residua.insight.ensembles.numbers import EnsembleReport
    from residua.models.model_file import Model

FILE = "ensemble.safetensors"


def ensemble(
    output: str | Path,
    models: Sequence[str | Path],
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Model, EnsembleReport | None]:
    """Join trained models into one model file; the model, and what each member and each pair adds.

    models: model files or run folders. options: the fields of `EnsembleConfig`. on_result: hears the report
    (None where there are no data to report on) before the file is written. Raises ResiduaError where the
    members do not fit together.
    """
    from residua.insight.ensembles.numbers import build_ensemble
    from residua.models.model_file import load_model, save_model

    config = configure(EnsembleConfig, options)
    path = ensemble_file(output if isinstance(output, str) else named_path(output, "the new model"))
    names = [str(model) for model in named_paths(models, "a model")]
    joined, report = build_ensemble([load_model(name) for name in names], names, config, say)
    with written_after(report, on_result):
        save_model(make_parent(path), joined)
    return joined, report


def ensemble_file(output: str | Path) -> Path:
    """The new file that is meant. Raises ConfigError where there is one, or where none can be written."""
    text = str(output)
    refusal = f"{output} exists already: give a new file's name before the models"
    if Path(output).exists() and not text.endswith("/"):  # a forgotten name would overwrite the first member
        raise ConfigError(refusal)
    path = output_file(text, Path(FILE), option="OUT")
    if path.exists():
        raise ConfigError(refusal)
    return path
