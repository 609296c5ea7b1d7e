"""What verbs that write have in common: looking before the work, and the numbers before the pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.errors import ResiduaError
from residua.files.output import make_parent, output_file, output_folder, require_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OnResult = Callable[[Any], object]


def ignore(result: object) -> None:
    """Where nobody waits for the result."""


@contextlib.contextmanager
def written_after(result: object, on_result: OnResult) -> Iterator[None]:
    """Hand the result over, then write: a full disk costs the files, never the numbers.

    An error on the way carries the result.
    """
    on_result(result)
    try:
        yield
    except ResiduaError as error:
        error.result = result
        raise


def picture_file(output: str | None, default: Path) -> Path:
    """Where a verb's one picture goes. Raises ConfigError where it cannot be written."""
    from residua.insight.shared.plotting import SUFFIXES

    return output_file(output, default, suffixes=SUFFIXES)


def output_stem(model: Path, output: str | None) -> str:
    """What the paths of a verb's several files begin with: the model's own, or a folder's.

    Raises ConfigError where nothing can be written there.
    """
    from residua.insight.shared.plotting import SUFFIXES

    if output is not None:
        return f"{output_folder(output, foreign=SUFFIXES)}/"
    require_writable(model.parent)
    return str(model.with_name(f"{model.stem}-"))


def save_picture(figure: Figure, path: Path | str) -> Path:
    """Write a figure, into a new folder where there is none; the path. Raises RunError."""
    from residua.insight.shared.plotting import save_figure

    return save_figure(figure, make_parent(Path(path)))


def data_option(data: str | Path | None) -> dict[str, Any]:
    """The data that a call names first, as an option."""
    return {} if data is None else {"data": data}
