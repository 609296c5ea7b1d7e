"""The case pipeline: every pipeline on both sides, whole processes in turn, and the memory of each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import count
from pathlib import Path

from residua.bench.environment import known_beforehand
from residua.bench.harness import Harness
from residua.bench.pipelines.material import Material, make_material, write_small_pictures
from residua.bench.pipelines.processes import Finished, run_program
from residua.bench.results import OURS, THEIRS, Goal, Result
from residua.bench.timing import turns

HERE = "residua.bench.pipelines"
WORKERS = 2
BATCH = 128  # of CIFAR-10
TRIED_STEPS = 40  # in which numbers of workers are compared
MOST_ROUNDS = 3

Program = Callable[[bool], Finished]  # told whether to watch the memory


def measure(harness: Harness) -> Iterator[Result]:
    """Predicting, transfer learning, an epoch of CIFAR-10; of each the time and the memory."""
    with tempfile.TemporaryDirectory(prefix="residua-bench-") as name:
        material = make_material(Path(name))
        if harness.peer is not None:
            harness.peer.save_squeezenet(material.variables, material.weights)
        yield from _predict(harness, material)
        yield from _transfer(harness, material)
    with tempfile.TemporaryDirectory(prefix="residua-bench-") as name:
        yield from _cifar(harness, Path(name))


def _predict(harness: Harness, material: Material) -> Iterator[Result]:
    table, threads = material.folder / "answers.csv", harness.threads
    engine = ["--engine", harness.engine_option]

    def ours(watch: bool) -> Finished:
        options = ["--csv", "--threads", threads, *engine]
        command = ["predict", material.model, material.photographs, *options]
        return run_program("residua", command, output=table, watch=watch)

    def theirs(watch: bool) -> Finished:
        files = [material.weights, material.names, material.photographs, table]
        return run_program(f"{HERE}.pytorch_predict", [*files, threads, WORKERS], watch=watch)

    def inside(watch: bool) -> Finished:
        arguments = [material.model, material.photographs, table, threads, harness.engine.name]
        return run_program(f"{HERE}.residua_predict", arguments)

    what = f"SqueezeNet names what is in {material.kind}, files to a CSV file"
    runs = yield from _both(harness, what, ours, theirs, Goal(">=", 1.5))
    work = f"{what}: without the start of the processes"
    samples = {OURS: [[inside(False).inside] for _ in runs[OURS]]}
    if THEIRS in runs:
        samples[THEIRS] = [[run.inside] for run in runs[THEIRS]]
    yield Result("pipeline", work, threads, "s", samples)


def _transfer(harness: Harness, material: Material) -> Iterator[Result]:
    threads, number = harness.threads, count()

    def ours(watch: bool) -> Finished:
        place = material.folder / f"transfer-{next(number)}"  # nothing of the pictures is known beforehand
        environment = {"XDG_CACHE_HOME": str(place / "cache"), **known_beforehand()}
        options = ["--epochs", 1, "--run", place / "run", "--threads", threads]
        command = ["train", material.classes, "--from", material.model, *options]
        engine = ["--engine", harness.engine_option]
        return run_program("residua", [*command, *engine], environment=environment, watch=watch)

    def theirs(watch: bool) -> Finished:
        files = [material.weights, material.classes, material.folder / "transfer.pth"]
        return run_program(f"{HERE}.pytorch_transfer", [*files, threads, WORKERS], watch=watch)

    photographs = len(list(material.classes.glob("*/*")))
    what = f"Transfer learning, one epoch on {photographs:,} photographs, SqueezeNet's base frozen"
    yield from _both(harness, what, ours, theirs, Goal(">=", 3.0))


def _cifar(harness: Harness, folder: Path) -> Iterator[Result]:
    pixels, labels, kind = write_small_pictures(folder, BATCH)
    epoch = _pictures(labels) // BATCH

    def ours(watch: bool) -> Finished:
        arguments = [pixels, labels, epoch, harness.threads, harness.engine.name]
        return run_program(f"{HERE}.residua_cifar", arguments, watch=watch)

    def train(workers: int, steps: int, watch: bool) -> Finished:
        arguments = [pixels, labels, steps, harness.threads, workers]
        return run_program(f"{HERE}.pytorch_cifar", arguments, watch=watch)

    workers = 0
    if harness.peer is not None:
        tried = {number: train(number, TRIED_STEPS, False).inside for number in (0, WORKERS)}
        workers = min(tried, key=lambda number: tried[number])
    what = f"ResNet-20, one epoch of {kind}, cropped and mirrored"
    mode = f"DataLoader with {workers} workers"
    yield from _both(
        harness, what, ours, lambda watch: train(workers, epoch, watch), Goal(">=", 3.3), mode, inside=True
    )


def _pictures(labels: Path) -> int:
    import numpy as np

    return len(np.load(labels, mmap_mode="r"))


def _both(
    harness: Harness,
    what: str,
    ours: Program,
    theirs: Program,
    goal: Goal,
    mode: str = "",
    inside: bool = False,
) -> Generator[Result, None, Mapping[str, list[Finished]]]:
    """The time of both sides in turn, and their memory, seen in runs before that are not timed.

    inside: count as the programs themselves do, without their start. Gives the timed runs back.
    """
    programs: Mapping[str, Program] = {OURS: ours} | ({THEIRS: theirs} if harness.peer is not None else {})
    memory = {side: [[program(True).memory]] for side, program in programs.items()}
    runs: dict[str, list[Finished]] = {side: [] for side in programs}
    for side in turns(programs, min(MOST_ROUNDS, harness.limits.rounds), harness.limits.seconds):
        runs[side].append(programs[side](False))
    times = {
        side: [[run.inside if inside else run.seconds] for run in finished] for side, finished in runs.items()
    }
    modes = {THEIRS: mode} if mode and THEIRS in programs else {}
    yield Result("pipeline", what, harness.threads, "s", times, goal=goal, modes=modes)
    yield Result(
        "pipeline",
        f"Peak memory, all processes: {what}",
        harness.threads,
        "MiB",
        memory,
        over=(OURS, THEIRS),
        goal=Goal("<=", 1.0),
        modes=modes,
    )
    return runs
