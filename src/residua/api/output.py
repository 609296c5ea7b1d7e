"""What verbs that write have in common: looking before the work, and the numbers before the pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.errors import ResiduaError
from residua.files.output import make_parent, output_file, output_folder, require_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from residua.models.model_file import Model

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


def converted_file(
    model: str | Path | Model, output: str | Path | None, name: str, suffixes: tuple[str, ...]
) -> Path:
    """Where a model goes in another form: beside its file with the ending of `name`, or under that name.

    output: OUT, a file or a folder. Raises ConfigError where it cannot be written, ModelFileError without a
    model in a run.
    """
    from residua.models.model_file import Model, find_model

    default = Path(name)
    if not isinstance(model, Model):
        default = find_model(model).with_suffix(default.suffix)
    text = output if output is None or isinstance(output, str) else str(named_path(output))
    return output_file(text, default, option="OUT", suffixes=suffixes)


def save_picture(figure: Figure, path: Path | str) -> Path:
    """Write a figure, into a new folder where there is none; the path. Raises RunError."""
    from residua.insight.shared.plotting import save_figure

    return save_figure(figure, make_parent(Path(path)))


def data_option(data: str | Path | None) -> dict[str, Any]:
    """The data that a call names first, as an option."""
    return {} if data is None else {"data": data}
