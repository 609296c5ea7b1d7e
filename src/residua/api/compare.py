"""Comparing trained models, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.config import CompareConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.comparison.numbers import Comparison


def compare(models: Sequence[str | Path], *, say: Any = print, **options: Any) -> tuple[Comparison, Path]:
    """Run folders and model files on the same pictures: metrics, tests of each pair, and a picture.

    options: the fields of `CompareConfig`. Raises ResiduaError where they cannot be compared.
    """
    from residua.insight.comparison.figure import comparison_figure
    from residua.insight.comparison.numbers import compare_models
    from residua.insight.shared.plotting import save_figure

    config = configure(CompareConfig, options)
    comparison = compare_models(models, config, say)
    return comparison, save_figure(comparison_figure(comparison), Path(config.output or "compare.png"))
