"""Turning published weights into a model file, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, ignore, written_after
from residua.config import ImportConfig
from residua.config.options import configure
from residua.errors import ConfigError
from residua.files.output import make_parent, output_file

if TYPE_CHECKING:
    from residua.models.model_file import Model


def import_weights(
    weights: str | Path, *, on_result: OnResult = ignore, **options: Any
) -> tuple[Path, Model]:
    """Turn published weights, a file that PyTorch wrote or a folder of .npy, into a model file.

    options: the fields of `ImportConfig`. on_result: hears the model before it is written. Returns the file
    and the model. Raises ModelFileError where the weights fit no model.
    """
    from residua.models.foreign_weights.importing import import_model
    from residua.models.model_file import save_model

    config = configure(ImportConfig, options)
    path = named_path(weights, "the weights")
    beside = path.resolve().with_name(f"{path.resolve().name}.x") if path.is_dir() else path
    default = beside.with_suffix(".model.safetensors")
    output = output_file(config.output, default, inside=f"{path.stem}.safetensors")
    if output.resolve() == path.resolve():
        raise ConfigError(f"--output is the file of the weights themselves, {weights}: name another")
    model = import_model(path, config)
    with written_after(model, on_result):
        save_model(make_parent(output), model)
    return output, model
