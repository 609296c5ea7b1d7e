"""The verb import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options
from residua.cli.terminal import to_stdout
from residua.config import ImportConfig
from residua.files.names import printable

if TYPE_CHECKING:
    from residua.models.model_file import Model


def import_(weights: str, /, *, options: Annotated[ImportConfig, Options] = ImportConfig()) -> int:
    """Turn published weights (PyTorch's .pth, .pt, .th, .safetensors; folders of .npy) into a model file.

    Parameters
    ----------
    weights
        The file or folder; it is read without PyTorch, and nothing in it is run.
    """
    from residua import api

    path, _ = api.import_weights(weights, on_result=_print_model, **vars(options))
    to_stdout(f"Model file: {printable(path)}")
    return 0


def _print_model(model: Model) -> None:
    from residua.variables import count_parameters

    to_stdout(
        f"{printable(model.name)} with {count_parameters(model.variables):,} parameters, "
        f"{len(model.classes)} classes"
    )
    shape = model.preprocessing
    margin = "" if shape.resize is None else f", the middle of {shape.resize}x{shape.resize}"
    to_stdout(
        f"pictures of {shape.height}x{shape.width}{margin}, {shape.order if shape.channels == 3 else 'grey'}"
    )
    to_stdout(f"normalised with mean {shape.mean} and deviation {shape.std}")
