"""The folder of a sweep: what lies where, and which sweep it is.

sweep.toml   the sweep's file as it was when the first worker came, with the versions that began it
journal.log  Optuna's journal: every trial, its values, its accuracy after each epoch
trials/      the run folders, ordinary ones of `residua train`
workers/     who has or had which trial
results.json, parallel.png, importance.png, best.png   what came of it
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.config.options import FORMAT, toml_text
from residua.errors import ConfigError, RunError
from residua.files.durable import write_once
from residua.files.names import command
from residua.sweeps.plan import ORDER, Plan, read_plan
from residua.training.environment import package_version

FILE = "sweep.toml"
PACKAGES = ("residua", "optuna")


@dataclass(frozen=True)
class Folder:
    """A sweep and where it is kept."""

    path: Path
    plan: Plan

    @property
    def journal(self) -> Path:
        """Optuna's journal, which `optuna-dashboard` reads too."""
        return self.path / "journal.log"

    def run(self, number: int) -> Path:
        """A trial's run folder."""
        return self.path / "trials" / f"{number:04d}"

    def stem(self, number: int) -> Path:
        """What the names of the files about a trial's workers begin with."""
        return self.path / "workers" / f"{number:04d}"


def continue_command(folder: Path) -> str:
    """The command that takes part in a sweep."""
    return command("sweep", folder)


def find_plan(path: Path) -> tuple[Plan, Path | None]:
    """The sweep of a file, or of the folder of one that was begun, and that folder. Raises ResiduaError."""
    if not path.is_dir():
        if not path.exists():
            raise ConfigError(
                f"there is no sweep {path}: name its TOML file, or the folder of one that was begun"
            )
        return read_plan(path), None
    if not (path / FILE).exists():
        raise RunError(f"{path} is not the folder of a sweep: it holds no {FILE}")
    _check_versions(path)
    return read_plan(path / FILE, path.resolve().name), path


def open_folder(plan: Plan, path: Path, source: Path) -> Folder:
    """The folder of the sweep, made where there is none.

    source: what the sweep was read from. Raises RunError where the folder holds something else.
    """
    import tomli_w

    for name, what in (("run.toml", "a run"), ("journal.log", "the journal of an unknown sweep")):
        if (path / name).exists() and not (path / FILE).exists():
            raise RunError(f"{path} holds {what}: choose another folder with --output")
    order = list(plan.document["space"])
    versions = {name: package_version(name) for name in PACKAGES}
    text = tomli_w.dumps({"format": FORMAT, ORDER: order, "versions": versions, **plan.document})
    try:
        for folder in (path, path / "trials", path / "workers"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the folder of the sweep {path}: {error.strerror or error}") from None
    if not write_once(path / FILE, text.encode()):
        _check_versions(path)
        known = read_plan(path / FILE).document
        if difference := _difference(known, plan.document):
            raise RunError(
                f"{path} holds another sweep than {source}: {difference}; choose another folder with "
                f"--output, or go on with that one: {continue_command(path)}"
            )
    return Folder(path, plan)


def _check_versions(path: Path) -> None:
    """Raise RunError where another version began the sweep: its trials would be compared with others."""
    try:
        tables = tomllib.loads(toml_text(path / FILE))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"cannot read {path / FILE}: {error}; choose another folder with --output") from None
    known = tables.get("versions")
    written = tables.get("format")
    if not isinstance(written, int) or written > FORMAT:
        raise RunError(
            f"{path} was written in format {written!s:.20} by a newer residua; this one reads up to format "
            f"{FORMAT}: upgrade residua to go on with it, or choose another folder with --output"
        )
    begun = known if isinstance(known, dict) else {}
    for name in PACKAGES:
        here, there = package_version(name), str(begun.get(name, "unknown"))
        # Optuna's later versions read earlier journals; its next big one may draw other trials.
        if there != here and (name == "residua" or there.partition(".")[0] != here.partition(".")[0]):
            raise RunError(
                f"{path} was begun with {name} {there:.40}, and this is {here}: go on with that version, "
                "or choose another folder with --output"
            )


def _difference(known: dict[str, Any], given: dict[str, Any]) -> str:
    """The first thing in which two sweeps differ, in words; empty where they are the same."""
    for section, here in given.items():
        there = known.get(section, {})
        for name in (*there, *here):
            if there.get(name) != here.get(name):
                pair = [repr(table[name]) if name in table else "not given" for table in (there, here)]
                return f"[{section}] {name} is {pair[0]:.80} there and {pair[1]:.80} here"
        if list(there) != list(here) and section == "space":
            return "[space] has another order there"
    return ""
