"""What a capsule network's decoder draws, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.api.output import output_stem
from residua.config import ReconstructConfig
from residua.config.options import configure
from residua.files.output import make_parent


def reconstruct(model: str | Path, *, say: Any = print, **options: Any) -> tuple[Path, Path]:
    """Two pictures of what a capsule network's decoder draws: reconstructions, and dimensions varied.

    options: the fields of `ReconstructConfig`. Raises ModelFileError for a network without a decoder.
    """
    from residua.insight.capsules.numbers import draw_dimensions, draw_reconstructions, look
    from residua.models.model_file import find_model, load_model

    config = configure(ReconstructConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    result = look(loaded, str(path), config, say)
    return (
        draw_reconstructions(result, make_parent(Path(f"{stem}reconstructions.png"))),
        draw_dimensions(result, make_parent(Path(f"{stem}dimensions.png"))),
    )
