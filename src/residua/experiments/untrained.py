"""Models that took no training here, joined or imported: their answers to the test pictures, as a run's."""

from __future__ import annotations

import json
from pathlib import Path

from residua import api
from residua.experiments.training_runs import RunResult, Say, read_test
from residua.files.durable import write_durably
from residua.training.environment import machine_facts, package_versions

TEST = "test.json"


def answer_test(model: Path, engine: str, say: Say) -> None:
    """Put test.json and confusion.png beside the model, with where they came from. Raises ResiduaError."""
    found = api.evaluate(model, engine=engine, output=str(model.with_name("confusion.png")), say=say)
    where = {"versions": package_versions(), "machine": machine_facts()}
    text = json.dumps(found.to_dict() | where, indent=1) + "\n"
    write_durably(model.with_name(TEST), text.encode())


def read_answers(folder: Path, seed: int) -> RunResult:
    """What `answer_test` put into the folder."""
    path = folder / TEST
    test = json.loads(path.read_text(encoding="utf-8"))
    where = {name: test.get(name) for name in ("versions", "machine")}
    return RunResult(seed, "finished", "", **where, **read_test(path))
