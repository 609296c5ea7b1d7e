"""The options of `residua curves`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared


@dataclass(frozen=True)
class CurvesConfig:
    """Everything that `residua curves` can be told."""

    output: str | None = shared.picture("curves.png in the run folder; curves.png here for several runs")
