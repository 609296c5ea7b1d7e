"""Where results go: what an option such as --output means, and whether it can be written, before any work.

A verb that writes several things takes a folder, which is made, with its parents, when the first is written.
A verb that writes one takes a file; a folder, one that is there or a name that ends in a slash, gets the
default name inside. Nothing is left behind by looking.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

from residua.errors import ConfigError, RunError
from residua.files.durable import temporary_for
from residua.files.user_cache import expanded

OUTPUT = "--output"


def output_file(
    text: str | None,
    default: Path,
    *,
    option: str = OUTPUT,
    inside: str | None = None,
    suffixes: Collection[str] = (),
) -> Path:
    """The file that an option means, which can be written as far as can be seen. Raises ConfigError.

    default: where the option was not given. inside: the name in a folder (the default's). suffixes: how the
    name may end, where that decides what is written; a name without any is then a folder's.
    """
    if text is None:
        path = default
    else:
        path = expanded(text)
        if _is_folder(text, path, option) or (suffixes and not path.suffix):
            path = path / (inside or default.name)
        if suffixes and path.suffix.lower() not in suffixes:
            raise ConfigError(
                f"{option} takes a folder, or a file that ends in {', '.join(suffixes)}, not {text}"
            )
    if problem := _problem(path):
        raise ConfigError(f"{option} takes a file that can be written, not {path}: {problem}")
    return path


def output_folder(text: str, *, option: str = OUTPUT, foreign: Collection[str] = ()) -> Path:
    """The folder that an option means, which can be written into as far as can be seen. Raises ConfigError.

    foreign: endings of files, which a new folder would hardly be meant to have.
    """
    folder = expanded(text)
    if not _is_folder(text, folder, option) and folder.suffix.lower() in foreign:
        reason = "File exists" if folder.exists() else "a folder of that name would be taken for a file"
        raise ConfigError(f"{option} takes a folder, not {text}: {reason}")
    if problem := _problem(folder / "file"):
        raise ConfigError(f"{option} takes a folder, not {text}: {problem}")
    return folder


def require_writable(folder: Path, hint: str = "choose another place with --output") -> None:
    """Raise ConfigError where nothing can be written into a folder that no option named."""
    if problem := _problem(folder / "file"):
        raise ConfigError(f"cannot write into {folder}: {problem}; {hint}")


def make_parent(path: Path) -> Path:
    """The path itself, once its folder is there. Raises RunError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror or error}.") from None
    return path


def _is_folder(text: str, path: Path, option: str) -> bool:
    try:
        return text.endswith(("/", os.sep)) or path.is_dir()
    except (OSError, ValueError) as error:  # no permission to look, a name too long or with a NUL in it
        raise ConfigError(f"{option} cannot be {text!r}: {_reason(error)}") from None


def _problem(path: Path) -> str | None:
    """Why a file cannot be written, None where nothing speaks against it; all that is made is removed."""
    created: list[Path] = []
    try:
        if path.is_dir():
            return "Is a directory"
        if path.exists() and not path.is_file():
            return "it is no ordinary file"
        for folder in (*reversed(path.parent.parents), path.parent):
            if not folder.exists():
                folder.mkdir()
                created.append(folder)
        temporary = temporary_for(path)
        with temporary.open("xb"):
            pass
        temporary.unlink()
    except (OSError, ValueError) as error:
        return _reason(error)
    finally:
        for folder in reversed(created):
            with contextlib.suppress(OSError):
                folder.rmdir()
    return None


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
