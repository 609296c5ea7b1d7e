"""Variants whose models are joined, each seed's for itself, and answer the test pictures together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from residua import api
from residua.experiments.training_runs import RunResult, Say
from residua.experiments.untrained import TEST, answer_test, read_answers

MODEL = "ensemble.safetensors"


def join_runs(folder: Path, seed: int, members: Sequence[Path], engine: str, say: Say) -> RunResult:
    """The mean of the members' probabilities on the test split, as a run that took no training.

    folder: where the joined model and its answers are kept; made anew where a member is newer. Raises
    ResiduaError where the members do not fit together.
    """
    kept = folder / TEST
    newest = max((member / TEST).stat().st_mtime for member in members)
    if not kept.exists() or kept.stat().st_mtime < newest:
        (folder / MODEL).unlink(missing_ok=True)
        api.ensemble(folder / MODEL, members, split="test", engine=engine, say=say)
        answer_test(folder / MODEL, engine, say)
    return read_answers(folder, seed)
