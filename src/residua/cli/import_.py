"""The verb import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options
from residua.config import ImportConfig

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
    print(f"Model file: {path}")
    return 0


def _print_model(model: Model) -> None:
    from residua.variables import count_parameters

    print(f"{model.name} with {count_parameters(model.variables):,} parameters, {len(model.classes)} classes")
    shape = model.preprocessing
    margin = "" if shape.resize is None else f", the middle of {shape.resize}x{shape.resize}"
    print(
        f"pictures of {shape.height}x{shape.width}{margin}, {shape.order if shape.channels == 3 else 'grey'}"
    )
    print(f"normalised with mean {shape.mean} and deviation {shape.std}")
