"""Where verbs put what they write."""

from __future__ import annotations

from pathlib import Path

from residua.errors import ConfigError


def made_folder(output: str) -> Path:
    """The folder of --output, made where it is not there. Raises ConfigError."""
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output takes a folder, not {output}: {error.strerror}") from None
    return folder


def stem_of(model: Path, output: str | None) -> str:
    """What the names of pictures begin with: the model's own beside it, or a folder. Raises ConfigError."""
    return str(model.with_name(f"{model.stem}-")) if output is None else f"{made_folder(output)}/"
