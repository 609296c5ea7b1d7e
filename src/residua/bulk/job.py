"""What a job is asked for, before its folder is looked into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from residua.bulk.manifest import OPTION, Asked, Subject
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
    """What a verb asks of which pictures, and where the answers go.

    sources: what the pictures were named by. list: finds them, asked once, when the job begins. measured: see
    `Asked`.
    """

    verb: str
    folder: Path
    model: Path
    sources: Sequence[str]
    config: PredictConfig
    parts: PartsConfig
    list: Callable[[Model], Listed]
    measured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def option(self) -> str:
        """The option that names the folder."""
        return OPTION[self.verb]

    def asked(self, engine: str, version: str, sha256: str) -> Asked:
        """All that an answer depends on, with the engine that was settled on."""
        return Asked(
            verb=self.verb,
            model=str(self.model.absolute()),
            sha256=sha256,
            residua=version,
            sources=tuple(self.sources),
            engine=engine,
            top=self.config.top,
            reject=self.config.reject,
            reject_accuracy=self.config.reject_accuracy,
            views=self.config.views,
            table=self.parts.table,
            part=self.parts.part,
            measured=dict(self.measured),
        )
