"""Variants whose models are joined, each seed's for itself, and answer the test pictures together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from residua import api
from residua.experiments.training_runs import RunResult, Say, read_test
from residua.files.durable import write_durably

MODEL, TEST = "ensemble.safetensors", "test.json"


def join_runs(folder: Path, seed: int, members: Sequence[Path], engine: str, say: Say) -> RunResult:
    """The mean of the members' probabilities on the test split, as a run that took no training.

    folder: where the joined model and its answers are kept; made anew where a member is newer. Raises
    ResiduaError where the members do not fit together.
    """
    kept = folder / TEST
    newest = max((member / "test.json").stat().st_mtime for member in members)
    if not kept.exists() or kept.stat().st_mtime < newest:
        (folder / MODEL).unlink(missing_ok=True)
        api.ensemble(folder / MODEL, members, split="test", engine=engine, say=say)
        found = api.evaluate(folder / MODEL, engine=engine, output=str(folder / "confusion.png"), say=say)
        write_durably(kept, (json.dumps(found.to_dict(), indent=1) + "\n").encode())
    return RunResult(seed, "finished", "", **read_test(kept))
