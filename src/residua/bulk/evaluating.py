"""`residua evaluate` for splits that outgrow memory: no picture is kept, none decoded beforehand."""

from __future__ import annotations

import os
from pathlib import Path

from residua.bulk.job import Job, Listed
from residua.bulk.manifest import Subject
from residua.bulk.measuring import evaluation_of_parts
from residua.bulk.run import Outcome, Say, run_job
from residua.config import EvaluateConfig, EvaluatePartsConfig, PredictConfig
from residua.errors import ConfigError, DataError, RunError
from residua.insight.evaluation.listing import list_split
from residua.insight.evaluation.numbers import Evaluation
from residua.models.model_file import Model, find_model, load_model


def evaluate_in_parts(
    model: str | Path, config: EvaluateConfig, parts: EvaluatePartsConfig, say: Say
) -> tuple[Evaluation, Outcome]:
    """Measure a model in parts, in the folder that `parts` names; what is done there already is kept.

    The figures are those of `residua evaluate`, but for the last digits of sums. Pictures that cannot be read
    are left out, however many, unless --max-failures says otherwise. Raises as `run_job` and `list_split`.
    """
    if parts.parts is None:
        raise ConfigError("these options are for what is measured in a folder: name it with --parts")
    path = find_model(model)

    def find(loaded: Model) -> Listed:
        split = list_split(loaded, config, say)
        places = map(str, split.paths)
        # Workers of a cluster have other current folders.
        names = list(places if parts.scheduler is None else map(os.path.abspath, places))
        subject = Subject(split.data, split.split, split.same, split.left_out)
        return Listed(names, split.labels, subject)

    asked = PredictConfig(
        views=config.views, batch=config.batch, engine=config.engine, threads=config.threads
    )
    measured = {name: getattr(config, name) for name in ("split", "labels", "unknown_classes")}
    sources = [] if config.data is None else [config.data]
    job = Job("evaluate", Path(parts.parts), path, sources, asked, parts, find, measured)
    outcome = run_job(job, say)
    subject = outcome.manifest.subject
    if subject is None:
        raise RunError(f"{parts.parts} does not say what was measured: choose another folder with --parts")
    marks = (mark for _, mark in outcome.folder.marks(outcome.manifest) if mark is not None)
    found = evaluation_of_parts((mark["measured"] for mark in marks), load_model(path), subject)
    if found is None:
        raise DataError(f"not one picture of {subject.data} can be read: the rows in {parts.parts} say why")
    evaluation, exposure = found
    exposure.tell(say, same=subject.same, split=subject.split)
    return evaluation, outcome
