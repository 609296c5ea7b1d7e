"""Explaining a model's answers, in Python."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_texts
from residua.api.output import OnResult, ignore, output_stem, save_picture, written_after
from residua.config import EvaluateConfig, ExplainConfig
from residua.config.options import configure
from residua.errors import ConfigError, DataError, PictureError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from residua.insight.saliency.numbers import Explained
    from residua.insight.saliency.randomization import Randomization
    from residua.models.model_file import Model

ALONE = 8  # pictures that are each drawn large
ROWS = 10  # of a sheet, where there are more
SHOWN = 4  # pictures of the data set where none were named


@dataclass(frozen=True, eq=False)
class Explanations:
    """What `explain` computed: maps, drawings, pictures that could not be read, and the check's result."""

    explained: Explained
    drawn: tuple[Path, ...]
    errors: tuple[str, ...]
    randomization: Randomization | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        values: dict[str, Any] = {"pictures": self.explained.to_dict(), "drawn": list(map(str, self.drawn))}
        if self.errors:
            values["errors"] = list(self.errors)
        check = self.randomization
        return values if check is None else values | {"check": check.to_dict()}

    @property
    def randomised(self) -> Randomization | None:
        """The earlier name of `randomization`."""
        text = "Explanations.randomised is called Explanations.randomization now"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return self.randomization


def explain(
    model: str | Path,
    files: str | Path | Sequence[str | Path] = (),
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> Explanations:
    """Draw which parts of pictures a model's class scores depend on, by several methods.

    files: pictures or folders; without them pictures of the data set, by `numbers` or four of them. options:
    the fields of `ExplainConfig`. Overlays are written beside the model, or into `output`. A picture that
    cannot be read is told among the errors; raises ResiduaError where nothing can be explained. on_result:
    hears the result before the overlays are drawn.
    """
    from residua.engines import open_engine
    from residua.insight.saliency import figure as figures
    from residua.insight.saliency.numbers import explain_pictures
    from residua.insight.saliency.passes import explaining_passes
    from residua.insight.saliency.randomization import checking_passes, compare_with_random, random_levels
    from residua.insight.shared.engine_choice import settle_engine
    from residua.models.model_file import find_model, load_model
    from residua.progress import bar
    from residua.training.work import model_work

    config = configure(ExplainConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    if config.check:
        random_levels(loaded)  # what cannot be checked is refused before anything is drawn
    named = named_texts(files, "a picture")
    if named and (config.numbers or config.data is not None):
        raise ConfigError("give either files, or numbers of pictures of a data set")
    stem = output_stem(path, config.output)
    names, images, labels, errors = (
        (*_read(loaded, named, say),) if named else (*_of_data(loaded, config, say), [])
    )
    passes = explaining_passes(loaded, len(images), config)
    if config.check:
        passes += checking_passes(loaded, len(images), config)
    config = settle_engine(config, model_work(loaded, passes.forward, passes.gradients), say)
    engine = open_engine(config.engine, threads=config.threads)
    randomization = None
    with bar("Explaining", passes.total):
        explained = explain_pictures(
            loaded, images, config, names=names, labels=labels, engine=engine, say=say
        )
        if config.check:
            normal = loaded.preprocessing.normalize(images)
            randomization = compare_with_random(explained, normal, config, engine, config.batch)
    count = len(explained)
    each = config.sheet or (1 if count <= ALONE else ROWS * figures.abreast(len(explained.maps)))
    sheets = [range(start, min(start + each, count)) for start in range(0, count, each)]
    paths = tuple(Path(f"{stem}explain-{number}.png") for number in range(1, len(sheets) + 1))
    result = Explanations(explained, paths, tuple(errors), randomization)
    with written_after(result, on_result):
        for sheet, drawing in zip(sheets, paths, strict=True):
            if each == 1:
                figure = figures.picture_figure(explained, sheet.start)
            else:
                figure = figures.sheet_figure(explained, list(sheet))
            save_picture(figure, drawing)
    return result


def _read(
    model: Model, files: Sequence[str | Path], say: Any
) -> tuple[list[str], NDArray[np.uint8], None, list[str]]:
    """Names and pictures of files, as `predict` prepares them, and of those that cannot be read why."""
    import numpy as np

    from residua.cores import available_cores
    from residua.data.pictures.files import PassedOver, name_pictures, passed_over_line

    shape = model.preprocessing

    def read(file: str) -> NDArray[np.uint8] | PictureError:
        try:
            return shape.cut(shape.read(file))
        except PictureError as error:
            return error

    others: PassedOver = {}
    paths = name_pictures(files, others)
    if line := passed_over_line("", others):
        say(line)
    with ThreadPoolExecutor(available_cores()) as pool:
        pictures = list(pool.map(read, paths))
    errors = [str(error) for error in pictures if isinstance(error, PictureError)]
    good = [
        (file, image)
        for file, image in zip(paths, pictures, strict=True)
        if not isinstance(image, PictureError)
    ]
    if not good:
        raise DataError(errors[0] if errors else "there are no pictures to explain")
    return [name for name, _ in good], np.stack([image for _, image in good]), None, errors


def _of_data(model: Model, config: ExplainConfig, say: Any) -> tuple[Any, Any, Any]:
    """Names, pictures and labels out of the model's data, or the data that was named."""
    import numpy as np

    from residua.insight.evaluation.exposure import exposure
    from residua.insight.evaluation.predictions import find_pictures_of

    if config.data is None and model.training.get("data") is None:
        raise ConfigError(
            "give pictures or folders after the model, or --data NAME and --numbers: it does not say what "
            "it was trained on"
        )
    part = find_pictures_of(model, EvaluateConfig.of(config), say)
    name, split, pictures = part.data, part.split, part.pictures
    if beyond := [number for number in config.numbers if number >= len(pictures)]:
        raise ConfigError(
            f"{name}, {split}, has the pictures 0 to {len(pictures) - 1:,}; --numbers was given {beyond[0]}"
        )
    if config.numbers:
        indices = np.array(config.numbers, np.int64)
    else:
        indices = np.unique(np.linspace(0, len(pictures) - 1, SHOWN).round().astype(np.int64))
    chosen = pictures.take(indices)
    replace(part, exposure=exposure(model, chosen.images)).tell(say)
    return chosen.names, chosen.images, chosen.labels
