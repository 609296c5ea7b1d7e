"""Several models as one, and what capsules draw, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import stem_of
from residua.config import (
    EnsembleConfig,
    ReconstructConfig,
)
from residua.config.options import configure
from residua.errors import ConfigError

if TYPE_CHECKING:
    from residua.insight.ensembles.numbers import EnsembleReport
    from residua.models.model_file import Model


def ensemble(
    output: str | Path, models: Sequence[str | Path], *, say: Any = print, **options: Any
) -> tuple[Model, EnsembleReport | None]:
    """Join trained models into one model file; the model, and what each member and each pair adds.

    models: model files or run folders. options: the fields of `EnsembleConfig`. Raises ResiduaError where
    the members do not fit together.
    """
    from residua.insight.ensembles.numbers import build_ensemble
    from residua.models.model_file import load_model, save_model

    config = configure(EnsembleConfig, options)
    path = Path(output)
    if path.exists():  # a forgotten name would overwrite the first member
        raise ConfigError(f"{output} exists already: give a new file's name before the models")
    names = [str(model) for model in models]
    joined, report = build_ensemble([load_model(name) for name in names], names, config, say)
    save_model(path, joined)
    return joined, report


def reconstruct(model: str | Path, *, say: Any = print, **options: Any) -> tuple[Path, Path]:
    """Two pictures of what a capsule network's decoder draws: reconstructions, and dimensions varied.

    options: the fields of `ReconstructConfig`. Raises ModelFileError for a network without a decoder.
    """
    from residua.insight.capsules.numbers import draw_dimensions, draw_reconstructions, look
    from residua.models.model_file import find_model, load_model

    config = configure(ReconstructConfig, options)
    path = find_model(model)
    seen = look(load_model(path), str(path), config, say)
    stem = stem_of(path, config.output)
    return (
        draw_reconstructions(seen, Path(f"{stem}reconstructions.png")),
        draw_dimensions(seen, Path(f"{stem}dimensions.png")),
    )
