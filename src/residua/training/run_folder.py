"""The run folder: what a run is, where it took place, and what happened.

run.toml     every option, versions and machine: all that is needed to repeat the run
log.jsonl    one line an epoch; the same bytes for the same seed, killed and resumed or not
statistics.jsonl one line an epoch: weights, activations and dead channels of every layer
timing.jsonl one line an epoch: seconds, those of all cores, pictures a second, share of waiting for data
best.safetensors, last.safetensors   model files; checkpoint-*.safetensors to resume from
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from residua.config import TrainConfig
from residua.config.options import FORMAT, configure, read_toml, to_toml, toml_text
from residua.errors import RunError
from residua.files.durable import write_durably
from residua.files.json_lines import read_lines
from residua.files.names import command
from residua.files.one_writer import one_writer
from residua.files.regular import require_file
from residua.training.environment import machine_facts, versions_with
from residua.training.places import TABLE, describe_places

LOGGED = ("epoch", "train_loss", "train_error")  # what each line of the logs holds
TIMED = ("seconds",)


def refuse_used_folder(config: TrainConfig) -> None:
    """Raise RunError where the folder that was asked for already holds a run."""
    if config.run.run is not None and (Path(config.run.run) / "run.toml").exists():
        raise RunError(
            f"{config.run.run} already holds a run: go on with `{resume_command(Path(config.run.run))}`, "
            "or choose another folder with --run"
        )


def resume_command(run: Path) -> str:
    """The command that goes on with a run."""
    return command("train", "--resume", run)


def create_run(config: TrainConfig, default_name: str, held: contextlib.ExitStack) -> Path:
    """A new run folder with its run.toml, which nobody else writes into until `held` ends.

    Raises RunError where the folder is in use.
    """
    import tomli_w

    try:
        if config.run.run is not None:
            run = Path(config.run.run)
            held.enter_context(one_writer(run, "choose another folder with --run"))
            refuse_used_folder(config)
        else:
            run = _next_free(Path("runs"), default_name)
            held.enter_context(one_writer(run, "choose another folder with --run"))
    except OSError as error:
        folder = error.filename or config.run.run or "runs"
        raise RunError(
            f"cannot make the run folder {folder}: {error.strerror or error}. Choose another with --run."
        ) from None
    tables = {
        "format": FORMAT,
        "versions": versions_with(config.run.engine),
        "machine": machine_facts(),
        **to_toml(config),
    }
    tables["run"]["run"] = str(run)
    if places := describe_places(config, run):
        tables["machine"][TABLE] = places
    try:
        write_durably(run / "run.toml", tomli_w.dumps(tables).encode(errors="surrogateescape"))
    except RunError:
        held.close()
        with contextlib.suppress(OSError):
            run.rmdir()  # only where nothing is in it
        raise
    return run


def _next_free(parent: Path, name: str) -> Path:
    number = 1
    while True:
        run = parent / f"{name}-{number}"
        try:
            run.mkdir(parents=True)
            return run
        except FileExistsError:
            number += 1


def read_run(run: Path) -> TrainConfig:
    """The options of a run. Raises RunError where the folder holds none that this version can read."""
    import tomllib

    path = run / "run.toml"
    if not path.exists():
        raise RunError(f"{run} is not a run folder: it holds no run.toml")
    require_file(path, RunError)
    try:
        version = tomllib.loads(toml_text(path)).get("format")
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"cannot read {path}: {error}") from None
    if version is None:
        raise RunError(f"{path} is empty or unfinished: it names no format; start the run anew")
    if not isinstance(version, int) or version > FORMAT:
        raise RunError(
            f"{run} was written in format {version!s:.20} by a newer residua; this one reads up to "
            f"format {FORMAT}: upgrade residua to go on with it"
        )
    return configure(TrainConfig, read_toml(path), source=f"{path}: ")


def read_log(run: Path) -> list[dict[str, Any]]:
    """The epochs of a run, oldest first; RunError where only some of them were validated."""
    rows = read_lines(run / "log.jsonl", LOGGED)
    rows = [row for row in rows if type(row["epoch"]) is int and row["epoch"] > 0]
    for part in ("validation_loss", "validation_error"):
        if len({part in row for row in rows}) > 1:
            raise RunError(f"{run / 'log.jsonl'} is damaged: only some of its epochs have a {part}")
    return rows


def torn_logs(run: Path) -> list[str]:
    """A line about each log of a run that holds what is no entry, such as a last line cut short."""
    torn: list[str] = []
    for name, needed in (("log.jsonl", LOGGED), ("timing.jsonl", TIMED), ("statistics.jsonl", ("epoch",))):
        read_lines(run / name, needed, torn)
    return torn


def read_seconds(run: Path) -> float | None:
    """What a run's epochs took in all; None where nothing was kept."""
    timing = read_lines(run / "timing.jsonl", TIMED)
    return sum(float(row["seconds"]) for row in timing) if timing else None


def read_environment(run: Path) -> dict[str, dict[str, Any]]:
    """Where a run took place: {"versions": {...}, "machine": {...}}; {} where nothing was kept."""
    import tomllib

    try:
        document = tomllib.loads(toml_text(run / "run.toml"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"cannot read {run / 'run.toml'}: {error}") from None
    tables = {name: document.get(name, {}) for name in ("versions", "machine")}
    if any(not isinstance(table, dict) for table in tables.values()):
        raise RunError(f"{run / 'run.toml'} is damaged: its versions or machine are no table")
    if type(tables["machine"].get("cores", 1)) is not int:
        raise RunError(f"{run / 'run.toml'} is damaged: its number of cores is no number")
    tables["machine"].pop(TABLE, None)  # nobody's business but its owner's
    return tables
