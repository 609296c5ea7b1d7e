"""What of a run is done: its folder is known by the options in it, wherever they were given."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from residua.config import TrainConfig
from residua.config.options import configure, flag
from residua.data import DataSet
from residua.errors import RunError
from residua.files.one_writer import LOCK
from residua.training.environment import package_version
from residua.training.option_defaults import resolve_options
from residua.training.run_folder import read_environment, read_run

State = Literal["absent", "unfinished", "finished", "diverged"]
# Where and on what a run takes place, which says nothing of what is trained.
_PLACES = ("run", "threads", "data_dir", "checkpoint_seconds", "checkpoint_steps")
# What an open option comes to is found out only while the data are read: the sides of pictures, and the
# epochs that so many steps take.
_FOUND = ("size", "epochs")
_FILES = ("data", "from_", "weights", "labels")


@dataclass(frozen=True)
class PlannedRun:
    """A run of a variant: its folder, its seed, and the options that `residua train` is given.

    command: trains the same in a terminal, anywhere.
    """

    folder: Path
    seed: int
    options: dict[str, Any]
    command: str = ""

    @property
    def config(self) -> TrainConfig:
        """All options. Raises ConfigError for one that is wrong."""
        return configure(TrainConfig, self.options | {"seed": self.seed, "run": str(self.folder)})


def run_state(run: PlannedRun, data: DataSet | None) -> State:
    """How far a run is. Raises RunError where its folder holds another run, or that of another version."""
    folder = run.folder
    if not (folder / "run.toml").exists():
        if folder.exists() and (not folder.is_dir() or any(path.name != LOCK for path in folder.iterdir())):
            raise RunError(f"{folder} is no run folder: move it away, or choose another folder with --output")
        return "absent"
    found = read_run(folder)
    if different := differences(run.config, found, data):
        name, asked, there = different[0]
        raise RunError(
            f"{folder} was trained with {flag(name)} {there}, the experiment asks for {asked}: move that "
            "folder away, or choose another with --output"
        )
    made_by = read_environment(folder)["versions"].get("residua")
    if made_by is not None and made_by != (here := package_version("residua")):
        raise RunError(
            f"{folder} was trained by residua {made_by}, this is {here}: move that folder away, "
            "or choose another with --output"
        )
    if (folder / "test.json").exists():
        return "finished"
    return "diverged" if (folder / "not-finite.json").exists() else "unfinished"


def differences(asked: TrainConfig, found: TrainConfig, data: DataSet | None) -> list[tuple[str, Any, Any]]:
    """(option, asked for, found) for every option that decides what is trained and is another.

    data: what is trained on, whose recipe fills options that were left open; None where it is not at hand.
    """
    # What an open option comes to on a base is said by the base, which is not read for that.
    open_ends = data is None or asked.transfer.from_ is not None or asked.transfer.weights is not None
    wanted = asked if open_ends or data is None else resolve_options(asked, data)
    return [
        (name, one, other)
        for name, one, other in _pairs(wanted, found)
        if name not in _PLACES
        and not (name == "engine" and one == "auto")
        and not (one is None and (open_ends or name in _FOUND))
        and not _same(name, one, other)
    ]


def _pairs(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    found = []
    for section in fields(one):
        ours, theirs = getattr(one, section.name), getattr(other, section.name)
        found += [(f.name, getattr(ours, f.name), getattr(theirs, f.name)) for f in fields(ours)]
    return found


def _same(name: str, one: Any, other: Any) -> bool:
    if name in _FILES and one is not None and other is not None:
        # The same pictures may lie elsewhere; what they hold is looked at when a run goes on.
        return Path(os.path.expanduser(one)).name == Path(os.path.expanduser(other)).name
    return bool(one == other)
