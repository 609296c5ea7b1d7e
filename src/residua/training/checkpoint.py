"""Checkpoints: all that a run needs to go on bit for bit, written so that a crash cannot harm them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from residua.errors import ModelFileError, RunError
from residua.files.durable import remove_stale
from residua.files.tensors import read_tensors, write_tensors
from residua.variables import Tree, fill, flatten

KIND = "checkpoint"
VERSION = 1
KEPT = 2  # checkpoints: should the last be damaged, the one before it serves


@dataclass
class Position:
    """Where a run stands: plain numbers, changed as it goes."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seen: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    schedule: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss: float = 0.0
    log_bytes: int = 0
    statistics_bytes: int = 0


def write_checkpoint(run: Path, state: Tree, position: Position, fingerprint: str) -> Path:
    """Write the checkpoint of this step and remove all but the last two.

    Raises ResiduaError where it cannot be written; the earlier ones are still there then.
    """
    path = run / f"checkpoint-{position.step:09d}.safetensors"
    document = {"position": asdict(position), "fingerprint": fingerprint}
    write_tensors(path, KIND, VERSION, flatten(state), document)
    for old in checkpoints(run)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def read_checkpoint(run: Path, template: Tree, notes: list[str]) -> tuple[Tree, Position, str]:
    """State, position and fingerprint of the data from the newest checkpoint that is whole.

    Damaged ones are passed over, and `notes` says so. Raises RunError where none can be used.
    """
    remove_stale(run)
    damaged = []
    for path in checkpoints(run):
        try:
            arrays, document = read_tensors(path, KIND, VERSION)
        except ModelFileError as error:
            if "newer residua" in str(error):
                raise RunError(str(error)) from None
            damaged.append(str(error))
            continue
        try:
            position, fingerprint = _read_position(document["position"]), document["fingerprint"]
            if not isinstance(fingerprint, str):
                raise ValueError("its fingerprint is no text")
        except (LookupError, TypeError, ValueError) as error:
            damaged.append(f"{path} is damaged: it does not say where the run stands ({error})")
            continue
        notes.extend(damaged)
        return fill(template, _unused(template) | arrays, str(path)), position, fingerprint
    if damaged:
        raise RunError(f"none of the checkpoints in {run} can be read: {damaged[0]}")
    raise RunError(f"{run} holds no checkpoint yet: start the run anew in another folder")


def _unused(template: Tree) -> dict[str, Any]:
    """What checkpoints of earlier versions lack once a layer of fixed weights rests: its bias's slots."""
    wanted, unused = flatten(template), {}
    for path, array in wanted.items():
        kind, _, rest = path.partition(".")
        layer = rest.partition(".")[2].removesuffix(".bias")
        if kind == "slots" and path.endswith(".bias") and f"variables.{layer}.fixed_weight" in wanted:
            unused[path] = array
    return unused


def read_fingerprint(run: Path) -> str | None:
    """The fingerprint of the data by the newest checkpoint that is whole; None where there is none."""
    for path in checkpoints(run):
        try:
            return str(read_tensors(path, KIND, VERSION)[1]["fingerprint"])
        except (ModelFileError, LookupError):
            continue
    return None


def _read_position(values: Mapping[str, Any]) -> Position:
    """The position that a checkpoint holds. Raises LookupError, TypeError or ValueError for anything else."""
    position = Position(**values)
    for entry in fields(Position):
        value, kind = getattr(position, entry.name), type(entry.default)
        if kind is int and (type(value) is not int or not 0 <= value < 2**63):
            raise ValueError(f"{entry.name} is no count")
        if kind is float and type(value) not in (int, float):
            raise ValueError(f"{entry.name} is no number")
    if not isinstance(position.schedule, dict):
        raise ValueError("schedule is no table")
    return position


def checkpoints(run: Path) -> list[Path]:
    """The checkpoints, newest first."""
    return sorted(run.glob("checkpoint-*.safetensors"), reverse=True)
