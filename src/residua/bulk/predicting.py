"""`residua predict` by the million."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from residua.bulk.job import Job, Listed
from residua.bulk.run import Outcome, Say, run_job
from residua.config import PredictConfig, PredictPartsConfig
from residua.errors import ConfigError
from residua.models.model_file import find_model


def predict_in_parts(
    model: str | Path,
    names: Callable[[], Sequence[str]],
    sources: Sequence[str],
    config: PredictConfig,
    parts: PredictPartsConfig,
    say: Say,
) -> Outcome:
    """Answer pictures in parts, in the folder that `parts` names; what is done there already is kept.

    names: the pictures in order, asked for once, when a job begins. sources: what they were named by. Raises
    as `run_job`.
    """
    if parts.output is None:
        raise ConfigError(
            "these options are for answers that are written into a folder: name it with --output"
        )
    path = find_model(model)
    job = Job("predict", Path(parts.output), path, sources, config, parts, lambda loaded: Listed(names()))
    return run_job(job, say)
