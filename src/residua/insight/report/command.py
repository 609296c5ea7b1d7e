"""The command that repeats a run: every option that is not the default, written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from residua.config import TrainConfig
from residua.config.options import chosen_options, flag
from residua.files.names import command

# What says where and how often a run is written, and changes nothing of its result.
NOT_REPEATED = frozenset({"data", "run", "threads", "checkpoint_seconds", "checkpoint_steps"})


def repeat_command(config: TrainConfig) -> str:
    """`residua train DATA --option value ...`; with it the run ends with the same bytes.

    On the same machine and versions, that is, and where the data is still the same.
    """
    words: list[Any] = ["train", Path(config.data.data)]
    for name, value in chosen_options(config).items():
        if name in NOT_REPEATED:
            continue
        if isinstance(value, bool):
            words.append(flag(name) if value else f"--no-{flag(name)[2:]}")
        else:
            words += [flag(name), *map(_number, value if isinstance(value, tuple) else (value,))]
    return command(*words)


def _number(value: Any) -> str:
    # A share or a number of pictures: 5000.0 is read as 5000 in a file, not behind a flag.
    whole = isinstance(value, float) and value == int(value) and abs(value) < 1e15
    return str(int(value)) if whole else str(value)
