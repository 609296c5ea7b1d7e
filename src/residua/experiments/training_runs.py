"""Trains what an experiment lacks: a run is begun, goes on where it was stopped, or is left as it is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from residua import api
from residua.config.options import flag
from residua.errors import NonFiniteError
from residua.experiments.folders import PlannedRun, State
from residua.files.json_lines import read_lines
from residua.files.names import command
from residua.insight.shared.intervals import wilson_interval
from residua.models.model_file import load_model
from residua.training.run_folder import read_environment, read_log

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunResult:
    """What came of a run. Errors are in per cent of the test pictures.

    state: finished, diverged (the loss was no longer finite) or unfinished. seconds: spent in training steps,
    however often it was stopped; processor_seconds: of all cores together, where it is known. data_mean,
    data_deviation: of the training pictures, a number per channel. command: trains the same again.
    """

    seed: int
    state: str
    command: str
    error: float | None = None
    interval: tuple[float, float] | None = None
    wrong: int | None = None
    pictures: int | None = None
    copies: int | None = None
    validation_error: float | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    steps: int | None = None
    seconds: float | None = None
    processor_seconds: float | None = None
    data_mean: tuple[float, ...] | None = None
    data_deviation: tuple[float, ...] | None = None
    versions: dict[str, Any] | None = None
    machine: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; what is not known is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def train_run(run: PlannedRun, state: State, say: Say) -> None:
    """Train a run to its end, from wherever it stands.

    A loss that is not finite is a result, which stays in the folder. Raises ResiduaError, and
    KeyboardInterrupt where it was stopped, to go on another time.
    """
    with contextlib.suppress(NonFiniteError):
        if state == "absent":
            api.train(config=run.config)
        elif state == "unfinished":
            say(f"Going on with {run.folder}")
            api.train(resume=run.folder)


def train_command(options: dict[str, Any], folder: Path | str) -> str:
    """The line that trains a run in a terminal."""
    chosen = options | {"run": str(folder)}
    words: list[Any] = ["train", chosen.pop("data")]
    for name, value in chosen.items():
        if isinstance(value, bool):
            words.append(flag(name) if value else flag(name).replace("--", "--no-", 1))
        else:
            words += [flag(name), *map(str, value if isinstance(value, tuple) else (value,))]
    return command(*words)


def read_result(run: PlannedRun, state: State) -> RunResult:
    """What a run's folder says of it. Raises RunError where that is damaged."""
    folder = run.folder
    if state == "absent":
        return RunResult(run.seed, "not run", run.command)
    log = read_log(folder)
    facts: dict[str, Any] = read_environment(folder)
    facts |= {
        "epochs": len(log),
        "steps": log[-1].get("step") if log else 0,
        "seconds": train_seconds(folder),
        "processor_seconds": train_seconds(folder, "processor_seconds"),
    }
    result = RunResult(run.seed, state, run.command, **facts)
    if state != "finished":
        return result
    model = load_model(folder / "best.safetensors")
    at, shape = model.training.get("at") or {}, model.preprocessing
    # Of a network that takes pixels as they are there is none, and of a base it is its own pictures'.
    base = run.config.transfer
    other = set(shape.std) == {1.0} or base.from_ is not None or base.weights is not None
    return replace(
        result,
        **read_test(folder / "test.json"),
        validation_error=at.get("validation_error"),
        best_epoch=at.get("epoch"),
        data_mean=None if other else tuple(round(x, 4) for x in shape.mean),
        data_deviation=None if other else tuple(round(x, 4) for x in shape.std),
    )


def read_test(path: Path) -> dict[str, Any]:
    """What a model's answers to the test pictures come to, by the names that `RunResult` has for it."""
    test = json.loads(path.read_text(encoding="utf-8"))
    low, high = wilson_interval(test["correct"], test["pictures"])
    wrong = test["pictures"] - test["correct"]
    return {
        "error": 100 * wrong / test["pictures"],
        "interval": (100 * (1 - high), 100 * (1 - low)),
        "wrong": wrong,
        "pictures": test["pictures"],
        "copies": test.get("trained_on"),
    }


def train_seconds(folder: Path, of: str = "seconds") -> float | None:
    """What training steps took; of an epoch that was stopped, as if all of it had gone as its last part.

    None where some epochs have no such time.
    """
    rows = read_lines(folder / "timing.jsonl", ("seconds", "images_per_second"))
    if any(of not in row for row in rows):
        return None
    sizes = [max(float(row["seconds"]) * float(row["images_per_second"]), 1e-9) for row in rows]
    whole = max(sizes, default=0.0)
    return round(sum(float(row[of]) * whole / size for row, size in zip(rows, sizes, strict=True)), 3)
