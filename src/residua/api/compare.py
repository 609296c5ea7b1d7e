"""Comparing trained models, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_paths
from residua.api.output import OnResult, ignore, picture_file, save_picture, written_after
from residua.config import CompareConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.comparison.numbers import Comparison


def compare(
    models: Sequence[str | Path], *, say: Any = print, on_result: OnResult = ignore, **options: Any
) -> tuple[Comparison, Path]:
    """Run folders and model files on the same pictures: metrics, tests of each pair, and a picture.

    options: the fields of `CompareConfig`. on_result: hears the comparison before it is drawn. Raises
    ResiduaError where they cannot be compared.
    """
    from residua.insight.comparison.figure import comparison_figure
    from residua.insight.comparison.numbers import compare_models

    config = configure(CompareConfig, options)
    path = picture_file(config.output, Path("compare.png"))
    comparison = compare_models(named_paths(models, "a model"), config, say)
    with written_after(comparison, on_result):
        save_picture(comparison_figure(comparison), path)
    return comparison, path
