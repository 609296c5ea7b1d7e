"""What calls name: files, folders and models, one or several, as text or as paths, in any sequence."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from residua.config.plain import plain
from residua.errors import ConfigError


def named_path(value: Any, what: str = "a file") -> Path:
    """One file or folder. Raises ConfigError for what is no name; `what` it should be, for the message."""
    return Path(_text(value, what))


def _text(value: Any, what: str) -> str:
    value = plain(value)
    if not isinstance(value, str | os.PathLike | bytes):
        hint = ""
        if hasattr(value, "__array__") or isinstance(value, list | tuple):
            hint = ": pixels go to residua.Classifier.load(model).predict"
        raise ConfigError(
            f"{what} is named by text or a path; this is of the kind {type(value).__name__}{hint}"
        )
    return os.fsdecode(value)


def named_paths(values: Any, what: str = "a file") -> list[Path]:
    """As `named_path`, of one name or of a list, array or any sequence of them, in its order."""
    return [Path(name) for name in named_texts(values, what)]


def named_texts(values: Any, what: str = "a file") -> list[str]:
    """As `named_paths`, each name as it was given: a path takes the "./" off."""
    values = plain(values)
    if isinstance(values, str | os.PathLike | bytes):
        return [_text(values, what)]
    if not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise ConfigError(
            f"{what} is named by text or a path, several by a list of these; pixels go to "
            "residua.Classifier.load(model).predict"
        )
    return [_text(value, what) for value in values]
