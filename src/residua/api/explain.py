"""Explaining a model's answers, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import stem_of
from residua.config import EvaluateConfig, ExplainConfig
from residua.config.options import configure
from residua.errors import ConfigError, DataError, PictureError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from residua.insight.saliency.numbers import Explained
    from residua.insight.saliency.randomization import Randomised
    from residua.models.model_file import Model

ALONE = 8  # pictures that are each drawn large
ROWS = 10  # of a sheet, where there are more
SHOWN = 4  # pictures of the data set where none were named


@dataclass(frozen=True, eq=False)
class Explanations:
    """What `explain` found: maps, drawings, pictures that could not be read, and the check's result."""

    explained: Explained
    drawn: tuple[Path, ...]
    errors: tuple[str, ...]
    randomised: Randomised | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        found: dict[str, Any] = {"pictures": self.explained.to_dict(), "drawn": list(map(str, self.drawn))}
        if self.errors:
            found["errors"] = list(self.errors)
        return found if self.randomised is None else found | {"check": self.randomised.to_dict()}


def explain(
    model: str | Path, files: str | Path | Sequence[str | Path] = (), *, say: Any = print, **options: Any
) -> Explanations:
    """Draw which parts of pictures a model's class scores depend on, by several methods.

    files: pictures or folders; without them pictures of the data set, by `numbers` or four of them. options:
    the fields of `ExplainConfig`. Overlays are written beside the model, or into `output`. A picture that
    cannot be read is told among the errors; raises ResiduaError where nothing can be explained.
    """
    from residua.engines import open_engine
    from residua.insight.saliency import figure as figures
    from residua.insight.saliency.numbers import METHODS, explain_pictures
    from residua.insight.saliency.randomization import compare_with_random, random_levels
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(ExplainConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    if config.check:
        random_levels(loaded)  # what cannot be checked is refused before anything is drawn
    named = [files] if isinstance(files, str | Path) else list(files)
    if named and (config.numbers or config.data is not None):
        raise ConfigError("give either files, or numbers of pictures of a data set")
    names, images, labels, errors = (
        (*_read(loaded, [Path(entry) for entry in named]),) if named else (*_of_data(loaded, config, say), [])
    )
    work = loaded.work(len(images)) * sum(METHODS[name].passes for name in config.methods or METHODS)
    engine = open_engine(config.engine, threads=config.threads, work=work)
    stem = stem_of(path, config.output)
    found = explain_pictures(loaded, images, config, names=names, labels=labels, engine=engine, say=say)
    each = config.sheet or (1 if len(found) <= ALONE else ROWS * figures.abreast(len(found.maps)))
    drawn = []
    for number, start in enumerate(range(0, len(found), each), start=1):
        places = list(range(start, min(start + each, len(found))))
        figure = figures.picture_figure(found, start) if each == 1 else figures.sheet_figure(found, places)
        drawn.append(save_figure(figure, Path(f"{stem}explain-{number}.png")))
    checked = None
    if config.check:
        normal = loaded.preprocessing.normalize(images)
        checked = compare_with_random(found, normal, config, engine, config.batch)
    return Explanations(found, tuple(drawn), tuple(errors), checked)


def _read(model: Model, files: Sequence[Path]) -> tuple[list[str], NDArray[np.uint8], None, list[str]]:
    """Names and pictures of files, as `predict` prepares them, and of those that cannot be read why."""
    import numpy as np

    from residua.cores import available_cores
    from residua.data.pictures.files import find_pictures

    shape = model.preprocessing

    def read(file: Path) -> NDArray[np.uint8] | PictureError:
        try:
            return shape.cut(shape.read(file))
        except PictureError as error:
            return error

    found = find_pictures(files)
    with ThreadPoolExecutor(available_cores()) as pool:
        pictures = list(pool.map(read, found))
    errors = [str(error) for error in pictures if isinstance(error, PictureError)]
    good = [
        (str(file), image)
        for file, image in zip(found, pictures, strict=True)
        if not isinstance(image, PictureError)
    ]
    if not good:
        raise DataError(errors[0] if errors else "there are no pictures to explain")
    return [name for name, _ in good], np.stack([image for _, image in good]), None, errors


def _of_data(model: Model, config: ExplainConfig, say: Any) -> tuple[Any, Any, Any]:
    """Names, pictures and labels out of the model's data, or the data that was named."""
    import numpy as np

    from residua.insight.evaluation.answers import read_pictures

    asked = EvaluateConfig.of(config)
    if config.data is None and model.training.get("data") is None:
        raise ConfigError(
            "give pictures or folders after the model, or --data NAME and --numbers: it does not say what "
            "it was trained on"
        )
    name, split, pictures = read_pictures(model, asked, say)
    if beyond := [number for number in config.numbers if number >= len(pictures)]:
        raise ConfigError(
            f"{name}, {split}, has the pictures 0 to {len(pictures) - 1:,}; --numbers was given {beyond[0]}"
        )
    if config.numbers:
        places = np.array(config.numbers, np.int64)
    else:
        places = np.unique(np.linspace(0, len(pictures) - 1, SHOWN).round().astype(np.int64))
    taken = pictures.take(places)
    return taken.names, taken.images, taken.labels
