"""What a capsule network's decoder draws, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.api.output import output_stem, save_picture
from residua.config import ReconstructConfig
from residua.config.options import configure


def reconstruct(model: str | Path, *, say: Any = print, **options: Any) -> tuple[Path, Path]:
    """Two pictures of what a capsule network's decoder draws: reconstructions, and dimensions varied.

    options: the fields of `ReconstructConfig`. Raises ModelFileError for a network without a decoder.
    """
    from residua.insight.capsules.figure import dimensions_figure, reconstructions_figure
    from residua.insight.capsules.numbers import sample_capsules
    from residua.models.model_file import find_model, load_model

    config = configure(ReconstructConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    sample = sample_capsules(loaded, str(path), config, say)
    return (
        save_picture(reconstructions_figure(sample), f"{stem}reconstructions.png"),
        save_picture(dimensions_figure(sample), f"{stem}dimensions.png"),
    )
