"""Parts given out, lost ones given out again, until all are done and joined; going on where a job stopped."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from residua.bulk.answering import Answered, Part
from residua.bulk.dask_workers import DaskWorkers
from residua.bulk.folder import Folder
from residua.bulk.job import Job
from residua.bulk.joining import DamagedPart, join
from residua.bulk.local_workers import LocalWorkers
from residua.bulk.manifest import Asked, Manifest, entries_of
from residua.bulk.rows import require_pyarrow
from residua.config import PredictConfig
from residua.config.parts import PartsConfig
from residua.data.views import VIEWS
from residua.errors import RunError
from residua.files.checksums import file_sha256
from residua.files.one_writer import one_writer
from residua.insight.prediction.numbers import least_confidence
from residua.insight.shared.engine_choice import settle_engine
from residua.models.model_file import load_model
from residua.progress import separate_bar
from residua.training.environment import package_version
from residua.training.work import model_work

CAREFUL = 2  # deaths with a part before its pictures are looked at one by one
MOST_DEATHS = 8  # with one part

Say = Callable[[str], None]


class Workers(Protocol):
    """Whoever answers parts."""

    @property
    def sharers(self) -> int:
        """The most of them on one machine."""

    @property
    def free(self) -> int:
        """How many more parts can be given out."""

    def give(self, part: Part) -> None:
        """Have a part answered."""

    def finished(self) -> Iterator[tuple[Part, Answered | None]]:
        """Parts that are answered, once there are some; None for one whose worker ended."""

    def close(self) -> None:
        """End or leave them."""


@dataclass(frozen=True)
class Outcome:
    """A job that is done.

    table: the joined one, if asked for. answered: how many were answered now. noted: parts with pictures
    that are odd.
    """

    folder: Folder
    manifest: Manifest
    table: Path | None
    failed: int
    answered: int
    seconds: float
    noted: int

    @property
    def pictures(self) -> int:
        """How many there are."""
        return self.manifest.pictures

    def text(self) -> str:
        """What to say at the end."""
        where = self.table or self.folder.path
        rate = f", {self.answered / self.seconds:,.0f} a second" if self.answered else ""
        lines = [f"{self.pictures:,} pictures{rate}: {where}"]
        if self.failed:
            lines.append(f"{self.failed:,} of them cannot be read: their rows say why")
        if self.noted:
            lines.append(f"Pictures that are odd, but were used, are told in {self.noted:,} of part-*.json")
        return "\n".join(lines)


def run_job(job: Job, say: Say) -> Outcome:
    """Answer a job's pictures in parts, in its folder; what is done there already is kept.

    say: hears what happens. Raises ResiduaError, and KeyboardInterrupt after Ctrl-C: what is done is kept.
    """
    began = time.monotonic()
    if job.parts.table == "parquet":
        require_pyarrow()
    with one_writer(job.folder, f"choose another folder with {job.option}"):
        folder = Folder(job.folder)
        manifest = _manifest(folder, job, say)
        answered = _answer(folder, manifest, job.config, job.parts, say)
        table = None
        while job.parts.join and table is None:
            try:
                table = join(folder, manifest)
            except DamagedPart as damaged:
                say(f"Part {damaged.number} is not what was written: it is answered again")
                folder.forget(manifest, damaged.number)
                answered += _answer(folder, manifest, job.config, job.parts, say)
        failed = noted = 0
        for _, mark in folder.marks(manifest):
            if mark is not None:
                failed += mark["failed"]
                noted += "notes" in mark
    return Outcome(folder, manifest, table, failed, answered, time.monotonic() - began, noted)


def _manifest(folder: Folder, job: Job, say: Say) -> Manifest:
    """The job that was begun there, or a new one. Raises RunError where that asks something else."""
    loaded, config = load_model(job.model), job.config
    least_confidence(loaded, config)
    begun, version, sha256 = folder.begun(), package_version("residua"), file_sha256(job.model)
    if begun is not None:
        engine = begun.asked.engine if config.engine == "auto" else config.engine
        asked = job.asked(engine, version, sha256)
        begun.asked.refuse_other(asked, folder.path)
        say(f"Going on in {folder.path}: {begun.pictures:,} pictures in {begun.parts:,} parts")
        return replace(begun, asked=asked)
    listed = job.list(loaded)
    work = model_work(loaded, len(VIEWS[config.views]) * len(listed.names))
    asked = job.asked(settle_engine(config, work, say).engine, version, sha256)
    return folder.begin(asked, entries_of(listed.names, listed.labels), listed.subject)


def _answer(folder: Folder, manifest: Manifest, config: PredictConfig, parts: PartsConfig, say: Say) -> int:
    """Have the parts answered that are not done; how many pictures these had."""
    open_parts, failed = deque[int](), 0
    for number, mark in folder.marks(manifest):
        if mark is None:
            open_parts.append(number)
        else:
            failed += mark["failed"]
    if not open_parts:
        return 0
    failures = _Failures(parts.max_failures, manifest.pictures, failed)
    deaths: Counter[int] = Counter()
    busy, answered = 0, 0
    with (
        _workers(manifest.asked, min(parts.workers, len(open_parts)), parts.scheduler) as workers,
        separate_bar("Pictures", manifest.pictures) as shown,
    ):
        if shown is not None:
            shown.advance(manifest.pictures - sum(map(manifest.size, open_parts)))
        while open_parts or busy:
            while open_parts and workers.free > 0:
                number = open_parts.popleft()
                part = Part(
                    number,
                    folder.pictures(manifest, number),
                    careful=deaths[number] >= CAREFUL,
                    batch=config.batch,
                    threads=config.threads,
                    sharers=workers.sharers,
                    stall=parts.stall,
                )
                workers.give(part)
                busy += 1
            for part, found in workers.finished():
                busy -= 1
                if found is None:
                    deaths[part.number] += 1
                    _tell_death(part.number, deaths[part.number], manifest, parts, say)
                    open_parts.appendleft(part.number)
                    continue
                folder.write_part(manifest, part.number, found.data, _about(found, manifest.asked.sha256))
                answered += manifest.size(part.number)
                if shown is not None:
                    shown.advance(manifest.size(part.number))
                failures.add(found.failed)
    return answered


def _about(found: Answered, model: str) -> dict[str, Any]:
    """What a part's mark says beside its bytes."""
    about: dict[str, Any] = {"rows": found.rows, "failed": found.failed, "model": model}
    if found.notes:
        about["notes"] = found.notes
    if found.measured is not None:
        about["measured"] = found.measured
    return about


@contextmanager
def _workers(asked: Asked, count: int, scheduler: str | None) -> Iterator[Workers]:
    workers: Workers = LocalWorkers(count, asked) if scheduler is None else DaskWorkers(scheduler, asked)
    try:
        yield workers
    finally:
        workers.close()


def _tell_death(number: int, deaths: int, manifest: Manifest, parts: PartsConfig, say: Say) -> None:
    """Say that a worker ended. Raises RunError where a part goes on ending its workers."""
    first = number * manifest.asked.part
    which = f"part {number} (pictures {first:,} to {first + manifest.size(number) - 1:,})"
    if deaths > MOST_DEATHS:
        raise RunError(
            f"{deaths} workers ended with {which}, and no picture alone does it: there may be too little "
            "memory; give the same command with fewer --workers, or a smaller --batch"
        )
    careful = ", its pictures one by one" if deaths >= CAREFUL else ""
    say(f"A worker ended with {which}: it is answered again{careful}")


class _Failures:
    """How many pictures could not be read, and how many may be."""

    def __init__(self, most: float | None, pictures: int, failed: int) -> None:
        self.most = None if most is None else most * pictures if most < 1 else most
        self.pictures, self.failed = pictures, failed

    def add(self, failed: int) -> None:
        """So many more. Raises RunError where they are too many."""
        self.failed += failed
        if self.most is not None and self.failed > self.most:
            raise RunError(
                f"{self.failed:,} of {self.pictures:,} pictures cannot be read, more than --max-failures "
                "allows; the parts that are done say why; with a higher one the same command goes on"
            )
