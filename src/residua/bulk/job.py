"""What a job is asked for, before its folder is looked into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from residua.bulk.manifest import Asked, Subject
from residua.config import PredictConfig
from residua.config.parts import PartsConfig
from residua.models.model_file import Model


@dataclass(frozen=True)
class Listed:
    """Pictures in their order; of those that are measured the classes too, as the model counts them."""

    names: Sequence[str]
    labels: Sequence[int] | None = None
    subject: Subject | None = None


@dataclass(frozen=True)
class Job:
    """What is asked of which pictures, and where the answers go.

    option: that by which people name the folder. sources: what the pictures were named by. list: finds them,
    asked once, when the job begins. measured: see `Asked`; None where nothing is measured.
    """

    folder: Path
    option: str
    model: Path
    sources: Sequence[str]
    config: PredictConfig
    parts: PartsConfig
    list: Callable[[Model], Listed]
    measured: Mapping[str, Any] | None = None

    def asked(self, engine: str, version: str, sha256: str) -> Asked:
        """All that an answer depends on, with the engine that was settled on."""
        config = replace(self.config, engine=engine)  # type: ignore[arg-type]
        return Asked.of(self.model, sha256, version, self.sources, config, self.parts, self.measured)
