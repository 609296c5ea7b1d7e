"""The options of `residua evaluate`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from residua.config import shared
from residua.config.parts import PartsConfig
from residua.config.shared import EngineName, Split, UnknownClasses, Views


@dataclass(frozen=True)
class EvaluateConfig:
    """Everything that `residua evaluate` can be told."""

    data: str | None = shared.data()
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test")
    views: Views = shared.views()
    batch: int = shared.batch(256)
    output: str | None = shared.path(
        "The picture of the confusion matrix to write, or a folder for confusion.png (beside the model)."
    )
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()

    @classmethod
    def of(cls, options: Any, **overrides: Any) -> EvaluateConfig:
        """What another verb's options say of the same things, but for the `overrides`; not where files go."""
        shared = {entry.name for entry in fields(cls)} - {"output"}
        known = {name: value for name, value in vars(options).items() if name in shared and value is not None}
        return cls(**known | overrides)


@dataclass(frozen=True)
class EvaluatePartsConfig(PartsConfig):
    """How `residua evaluate` measures in parts."""

    parts: str | None = shared.path(
        "Folder to measure in, in parts, for splits that outgrow memory; the same command goes on there."
    )
