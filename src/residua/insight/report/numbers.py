"""All that a report tells, collected once: answers, counts, layers, maps, and what the run folder holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from residua.config import EvaluateConfig, ReportConfig, TrainConfig
from residua.data.dataset import SPLITS
from residua.errors import ConfigError
from residua.files.checksums import file_sha256
from residua.files.names import alike_pairs, distinct
from residua.insight.evaluation.model_data import OpenedData, open_data
from residua.insight.evaluation.predictions import Predictions, answer, answer_work, find_pictures_of
from residua.insight.inspection.numbers import DeadUnits, look_inside
from residua.insight.mistakes.numbers import Mistakes, find_mistakes
from residua.insight.report.explanations import Explanations, explain_answers, explanation_passes
from residua.insight.shared.engine_choice import settle_engine
from residua.layers import Row
from residua.models.model_file import Model, find_model, load_model
from residua.progress import bar
from residua.training.environment import machine_facts, package_versions
from residua.training.layer_statistics import read_statistics
from residua.training.run_folder import read_environment, read_log, read_run, read_seconds, torn_logs
from residua.training.work import Passes

Say = Callable[[str], None]
SAMPLE = 500  # pictures on which channels that are never on are looked for


@dataclass(frozen=True)
class RunFacts:
    """What a run folder holds: options, a row for each epoch, seconds, statistics, versions and machine."""

    folder: Path
    config: TrainConfig
    log: list[dict[str, Any]]
    seconds: float | None
    statistics: list[dict[str, Any]]
    versions: dict[str, Any]
    machine: dict[str, Any]

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the epoch with the least validation error; None without validation or epochs."""
        rows = [row for row in self.log if "validation_error" in row]
        return min(rows, key=lambda row: float(row["validation_error"])) if rows else None


@dataclass(frozen=True, eq=False)
class ReportContents:
    """What a report is made of.

    counts: {split: {class: pictures}}, of the data as a whole. dead: channels that are never on, None where
    the network cannot be looked into; sample: on how many pictures. explanations: where a few answers come
    from. run: None for a model file alone.
    """

    file: Path
    checksum: str
    answered: Predictions
    mistakes: Mistakes
    opened: OpenedData
    counts: dict[str, dict[str, int]]
    rows: tuple[Row, ...]
    explanations: Explanations
    run: RunFacts | None = None
    dead: tuple[DeadUnits, ...] | None = None
    sample: int = 0
    versions: dict[str, str] = field(default_factory=package_versions)
    machine: dict[str, Any] = field(default_factory=machine_facts)

    @property
    def model(self) -> Model:
        """The trained model."""
        return self.answered.model


def collect_contents(model: str | Path, config: ReportConfig, say: Say) -> ReportContents:
    """Everything about a model file, or the best model of a run folder.

    Raises ModelFileError for a run without a model, and as `predict_split`.
    """
    path = Path(model)
    file = find_model(path)
    loaded = load_model(file)
    evaluate_config = EvaluateConfig.of(config)
    opened = open_data(loaded, evaluate_config, say)
    part = find_pictures_of(loaded, evaluate_config, say, opened)
    passes = explanation_passes(loaded, len(part.pictures)) + Passes(min(SAMPLE, len(part.pictures)))
    work = answer_work(loaded, evaluate_config, part, passes)
    config = settle_engine(config, work, say)
    part.tell(say)
    with bar("Report", passes.total + len(part.pictures)):
        answered = _told_apart(answer(loaded, replace(evaluate_config, engine=config.engine), part))
        mistakes = find_mistakes(answered)
        explanations = explain_answers(answered, mistakes, config, say)
        dead = _dead(answered, config)
    shape = loaded.preprocessing
    rows = loaded.network.rows((shape.height, shape.width, shape.channels))
    return ReportContents(
        file=file,
        checksum=file_sha256(file),
        answered=answered,
        mistakes=mistakes,
        opened=opened,
        counts=_counts(opened, answered),
        rows=tuple(row for row in rows if row.kind != "Identity"),
        explanations=explanations,
        run=_run(path if path.is_dir() else None, say),
        dead=dead,
        sample=min(SAMPLE, len(answered)),
    )


def _told_apart(answered: Predictions) -> Predictions:
    """The same answers; classes whose names look alike have them written as figures and texts do."""
    names = answered.classes
    shown = tuple(distinct(names)) if alike_pairs(names) else names
    return replace(answered, model=replace(answered.model, classes=shown))


def _dead(answered: Predictions, config: ReportConfig) -> tuple[DeadUnits, ...] | None:
    try:
        return look_inside(answered, SAMPLE, None, config.engine, config.threads).dead
    except ConfigError:  # an ensemble is no row of layers; the report has enough else to tell
        return None


def _counts(opened: OpenedData, answered: Predictions) -> dict[str, dict[str, int]]:
    """Pictures by split and class; splits without any are left out, and the train split of other data."""
    if opened.whole:
        return {answered.split: {entry.name: entry.pictures for entry in answered.evaluation.classes}}
    counts = {split: opened.data.counts(split) for split in SPLITS}
    names = opened.data.classes
    shown = dict(zip(names, distinct(names) if alike_pairs(names) else names, strict=True))
    return {
        split: {shown[name]: count for name, count in own.items()}
        for split, own in counts.items()
        if sum(own.values())
    }


def _run(folder: Path | None, say: Say) -> RunFacts | None:
    if folder is None or not (folder / "run.toml").exists():
        return None
    for line in torn_logs(folder):
        say(line)
    environment = read_environment(folder)
    return RunFacts(
        folder,
        read_run(folder),
        read_log(folder),
        read_seconds(folder),
        read_statistics(folder),
        environment["versions"],
        environment["machine"],
    )
