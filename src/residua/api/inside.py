"""Looking inside a trained network, in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_paths
from residua.api.output import OnResult, ignore, output_stem, save_picture, written_after
from residua.config import EvaluateConfig, InsideConfig
from residua.config.options import configure
from residua.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from residua.data.preprocessing import Preprocessing
    from residua.insight.inspection.feature_map import Method
    from residua.insight.inspection.numbers import Inside

MOST_FILES = 4  # of whose maps a picture is drawn
METHODS: dict[str, tuple[Method, ...]] = {
    "pca": ("pca",),
    "tsne": ("tsne",),
    "both": ("pca", "tsne"),
    "none": (),
}


def inside(
    model: str | Path,
    files: str | Path | Sequence[str | Path] = (),
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Inside | None, list[Path]]:
    """Draw what is inside a trained network; the numbers for pictures of its data, and the drawings' paths.

    Filters of the first layer, maps of each stage for `files` (or two pictures of the data), the strongest
    pictures of channels, maps of the features, and, of a run, the statistics of its epochs. options: the
    fields of `InsideConfig`. Without data there are no numbers, and only what needs none is drawn. on_result:
    hears the numbers before anything is drawn. Raises ResiduaError.
    """
    from residua.engines import open_engine
    from residua.insight.evaluation.predictions import answer, answer_work, find_pictures_of
    from residua.insight.inspection import figure as figures
    from residua.insight.inspection.feature_map_figure import feature_map_figure
    from residua.insight.inspection.numbers import look_inside
    from residua.insight.inspection.stages import frozen_chain, stages
    from residua.insight.inspection.statistics_figure import statistics_figure
    from residua.insight.shared.engine_choice import settle_engine
    from residua.models.model_file import find_model, load_model
    from residua.progress import bar
    from residua.training.layer_statistics import read_statistics
    from residua.training.run_folder import torn_logs
    from residua.training.work import Passes, model_work

    config = configure(InsideConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    frozen_chain(loaded)  # what cannot be looked into is refused before anything is drawn
    stem = output_stem(path, config.output)
    shape = loaded.preprocessing
    images = _read(shape, named_paths(files, "a picture"), say)
    result = None
    if config.data is not None or loaded.training.get("data") is not None:
        evaluate_config = EvaluateConfig.of(config)
        part = find_pictures_of(loaded, evaluate_config, say, most=config.sample)
        count = len(part.pictures)
        work = answer_work(loaded, evaluate_config, part, Passes(count + len(images)))
        config = settle_engine(config, work, say)
        part.tell(say)
        with bar("Looking inside", 2 * count):
            answered = answer(loaded, EvaluateConfig.of(config), part)
            result = look_inside(answered, config.sample, config.stage, config.engine, config.threads)
        if not images:
            names = answered.pictures.names
            images = [(names[i], answered.pictures.images[i]) for i in (0, len(answered) // 2)]
    else:
        config = settle_engine(config, model_work(loaded, len(images)), say)
        say("This model does not say what it was trained on: name a data set with --data to see more")
    drawn: list[Path] = []

    def draw(name: str, figure: Callable[[], Figure]) -> None:
        try:
            drawn.append(save_picture(figure(), f"{stem}{name}.png"))
        except ConfigError as error:  # what one network does not have is no reason to draw nothing of it
            say(f"Not drawn: {error}")

    with written_after(result, on_result):
        draw("filters", lambda: figures.filters_figure(loaded))
        engine = open_engine(config.engine, threads=config.threads)
        if stages(loaded):
            for number, (name, image) in enumerate(images, start=1):
                draw(
                    f"activations-{number}", partial(figures.activations_figure, loaded, image, engine, name)
                )
        if result is not None:
            draw("strongest", partial(figures.strongest_figure, result, config.channels))
            for method in METHODS[config.map]:
                draw(f"map-{method}", partial(feature_map_figure, result, method, config.seed))
        if Path(model).is_dir() and read_statistics(Path(model)):
            for line in torn_logs(Path(model)):
                say(line)
            draw("statistics", lambda: statistics_figure(Path(model)))
    return result, drawn


def _read(
    shape: Preprocessing, named: Sequence[str | Path], say: Callable[[str], Any]
) -> list[tuple[str, NDArray[np.uint8]]]:
    """The first pictures of those that were named, each for itself; what is left out of them is said.

    Raises PictureError for one that cannot be read.
    """
    from residua.data.pictures.files import PassedOver, find_pictures, passed_over_line

    others: PassedOver = {}
    paths = find_pictures(named, others)
    if line := passed_over_line("", others):
        say(line)
    if len(paths) > MOST_FILES:
        say(f"Of {len(paths):,} pictures the maps of the first {MOST_FILES} are drawn")
    chosen = paths[:MOST_FILES]
    alike = len({path.name for path in chosen}) < len({str(path) for path in chosen})
    return [(str(path) if alike else path.name, shape.cut(shape.read(path))) for path in chosen]
