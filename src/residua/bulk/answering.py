"""A part answered, in whatever process: the model is loaded once, by its path and content."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from residua.bulk.alone import find_fatal
from residua.bulk.manifest import Asked, Stretch, refuse_changed
from residua.bulk.measuring import Measured
from residua.bulk.rows import part_bytes
from residua.bulk.silence import ended_if_silent
from residua.cores import available_cores
from residua.errors import ModelFileError, RunError
from residua.files.checksums import file_sha256
from residua.insight.prediction.numbers import Prediction, predict_files, unwatched
from residua.models.model_file import Model, load_model
from residua.training.environment import package_version

# Engines are one job's at a time, and a cluster may give a process several parts at once.
_one_at_a_time = threading.Lock()
FATAL = "reading it ends the process, or never ends: its decoder does not survive what is damaged in it"


@dataclass(frozen=True)
class Part:
    """Pictures to answer.

    careful: pictures that end their process are looked for first, since a process ended. sharers: workers on
    one machine, among which its cores are divided. stall: seconds without an answer after which the process
    ends.
    """

    number: int
    pictures: Stretch
    careful: bool = False
    batch: int = 64
    threads: int | None = None
    sharers: int = 1
    stall: float = 300.0


@dataclass(frozen=True)
class Answered:
    """What came of a part: its file's bytes, how many rows it has and how many of them are errors.

    measured: where the pictures' classes are known, what `Measured` says.
    """

    data: bytes
    rows: int
    failed: int
    notes: tuple[str, ...] = ()
    measured: dict[str, Any] | None = None


def answer(asked: Asked, part: Part) -> Answered:
    """Answer a part. Raises ResiduaError where the model, the pictures or residua are not the job's."""
    if (here := package_version("residua")) != asked.residua:
        raise RunError(
            f"{_where()} has residua {here}, the job was begun by {asked.residua}: install that there"
        )
    pictures = part.pictures
    refuse_changed(pictures.files)
    model = _model(asked.model, asked.sha256)
    fatal = find_fatal(pictures.names, model.preprocessing, part.stall) if part.careful else set[str]()
    threads = part.threads or max(1, available_cores() // part.sharers)
    config = asked.config(part.batch, threads)
    labels = dict(zip(pictures.names, pictures.labels or (), strict=False))
    measured, notes, found = Measured(model, labels), list[str](), list[Prediction]()
    watch = measured.watch if labels else unwatched
    with _one_at_a_time, ended_if_silent(part.stall) as heard:
        safe = [name for name in pictures.names if name not in fatal]
        for prediction in predict_files(model, safe, config, notes.append, watch):
            found.append(prediction)
            heard()
    predictions = _with_fatal(found, pictures.names, fatal, unsure=False if _may_refuse(asked) else None)
    if labels:
        predictions = [replace(one, truth=model.classes[labels[one.file]]) for one in predictions]
    refuse_changed(pictures.files)
    failed = sum(prediction.error is not None for prediction in predictions)
    lines = tuple(line for line in notes if not getattr(line, "goes_first", False))
    return Answered(
        part_bytes(predictions, asked.table, min(asked.top, len(model.classes))),
        len(predictions),
        failed,
        lines,
        measured.to_dict() if labels else None,
    )


def _may_refuse(asked: Asked) -> bool:
    return asked.reject is not None or asked.reject_accuracy is not None


def _with_fatal(
    found: Sequence[Prediction], names: Sequence[str], fatal: set[str], unsure: bool | None
) -> list[Prediction]:
    """The predictions with those that cannot be read in their places."""
    if not fatal:  # a table of pixels has more rows than names
        return list(found)
    rest = iter(found)
    return [
        Prediction(name, (), f"Cannot read {name}: {FATAL}.", unsure) if name in fatal else next(rest)
        for name in names
    ]


@lru_cache(maxsize=2)
def _model(path: str, sha256: str) -> Model:
    """The model of that content. Raises ModelFileError that names this machine."""
    try:
        found = file_sha256(Path(path))
    except OSError as problem:
        raise ModelFileError(
            f"{_where()} cannot read the model {path} ({problem.strerror or problem}): put it there"
        ) from None
    if found != sha256:
        raise ModelFileError(
            f"{_where()} has another model at {path} than the job was begun with: put the same file there"
        )
    return load_model(path)


def _where() -> str:
    return f"the worker {platform.node()}, process {os.getpid()},"
