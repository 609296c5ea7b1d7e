"""Models that took no training here, joined or imported: their answers to the test pictures, as a run's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from residua import api
from residua.experiments.training_runs import RunResult, Say, read_test
from residua.files.durable import write_durably
from residua.training.environment import machine_facts, package_versions

TEST = "test.json"
BEST = "best.safetensors"  # as in a run folder, so that whatever looks at runs finds it


def answer_test(model: Path, engine: str, say: Say, folder: Path, **options: Any) -> None:
    """Put a model's test.json and confusion.png into the folder, with where they came from.

    options: of `residua evaluate`. Raises ResiduaError.
    """
    picture = str(folder / "confusion.png")
    found = api.evaluate(model, engine=engine, output=picture, say=say, **options)
    where = {"versions": package_versions(), "machine": machine_facts()}
    text = json.dumps(found.to_dict() | where, indent=1) + "\n"
    write_durably(folder / TEST, text.encode())


def read_answers(folder: Path, seed: int) -> RunResult:
    """What `answer_test` put into the folder."""
    path = folder / TEST
    test = json.loads(path.read_text(encoding="utf-8"))
    where = {name: test.get(name) for name in ("versions", "machine")}
    return RunResult(seed, "finished", "", **where, **read_test(path))
