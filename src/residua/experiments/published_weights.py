"""Variants whose weights somebody else trained and published, and which answer the test pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua import api
from residua.config.options import flag
from residua.experiments.training_runs import RunResult, Say
from residua.experiments.untrained import TEST, answer_test, read_answers
from residua.files.names import command

MODEL = "best.safetensors"  # as in a run folder, so that whatever looks at runs finds it


def import_run(
    folder: Path, seed: int, weights: str, options: dict[str, Any], engine: str, say: Say
) -> RunResult:
    """Published weights on their own data's test split, as a run that took no training.

    folder: where the model and its answers are kept. options: of `residua import`. Raises ModelFileError
    where the weights are absent or fit no model, and DataError where the pictures are not at hand.
    """
    if not (folder / TEST).exists():
        api.import_weights(weights, **options, output=str(folder / MODEL))
        answer_test(folder / MODEL, engine, say)
    return read_answers(folder, seed)


def import_command(weights: str, options: dict[str, Any], folder: str) -> str:
    """The line that makes the model in a terminal."""
    words: list[Any] = ["import", weights]
    for name, value in options.items():
        words += [flag(name), *(value if isinstance(value, tuple) else (value,))]
    return command(*words, "--output", f"{folder}/{MODEL}")
