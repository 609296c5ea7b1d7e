"""The case waiting: verbs whose answers somebody waits for, whole processes on the default engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from residua.bench.harness import Harness
from residua.bench.pipelines.material import Material, make_material
from residua.bench.pipelines.processes import Finished, run_program
from residua.bench.results import OURS, Goal, Result
from residua.bench.timing import turns

DEFAULT, FASTEST = "default engine", "numba"
EXPLAINED = 3  # photographs
METHODS = ("integrated", "grad-cam")
REPORTED = 120  # photographs of a class in the run that is reported on: 24 are tested
MOST_ROUNDS = 3


def measure(harness: Harness) -> Iterator[Result]:
    """Predicting on the default engine beside the fastest; explaining; a report."""
    with tempfile.TemporaryDirectory(prefix="residua-bench-") as name:
        material = make_material(Path(name))
        yield from _predict(harness, material)
        yield from _explain(harness, material)
        yield from _report(harness, material)


def _predict(harness: Harness, material: Material) -> Iterator[Result]:
    table = material.folder / "answers.csv"
    command = ["predict", material.model, material.photographs, "--csv"]
    engines: dict[str, Sequence[object]] = {DEFAULT: [], FASTEST: ["--engine", "numba"]}
    runs: dict[str, list[Finished]] = {side: [] for side in engines}
    _run(harness, [*command, *engines[FASTEST]], table)  # compiles what is missing, for both
    for side in turns(engines, min(MOST_ROUNDS, harness.limits.rounds), harness.limits.seconds):
        runs[side].append(_run(harness, [*command, *engines[side]], table))
    seconds = {side: [[run.seconds] for run in finished] for side, finished in runs.items()}
    what = f"SqueezeNet names what is in {material.kind}"
    over = (DEFAULT, FASTEST)
    yield Result("waiting", what, harness.threads, "s", seconds, over=over, goal=Goal("<=", 1.15))
    yield _ours(harness, f"{what}, default engine", seconds[DEFAULT], 20.0)


def _explain(harness: Harness, material: Material) -> Iterator[Result]:
    photographs = sorted(material.photographs.iterdir())[:EXPLAINED]
    command = ["explain", material.model, *photographs, "--methods", *METHODS]
    command += ["--output", material.folder / "explained"]
    what = f"{len(photographs)} photographs explained by {' and '.join(METHODS)}"
    yield _ours(harness, what, _repeated(harness, command), 20.0)


def _report(harness: Harness, material: Material) -> Iterator[Result]:
    few, run = material.folder / "few", material.folder / "run"
    for folder in sorted(material.classes.iterdir()):
        (few / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir())[:REPORTED]:
            (few / folder.name / file.name).symlink_to(file.resolve())
    _run(harness, ["train", few, "--from", material.model, "--epochs", 2, "--run", run])
    what = "The report of a run of SqueezeNet, 24 test pictures at 224x224"
    yield _ours(harness, what, _repeated(harness, ["report", run]), 30.0)


def _repeated(harness: Harness, command: Sequence[object]) -> list[list[float]]:
    rounds = min(MOST_ROUNDS, harness.limits.rounds)
    return [[_run(harness, command).seconds] for _ in turns({OURS: None}, rounds, harness.limits.seconds)]


def _run(harness: Harness, command: Sequence[object], output: Path | None = None) -> Finished:
    return run_program("residua", [*command, "--threads", harness.threads], output=output)


def _ours(harness: Harness, what: str, seconds: list[list[float]], most: float) -> Result:
    return Result("waiting", what, harness.threads, "s", {OURS: seconds}, goal=Goal("<=", most, OURS))
