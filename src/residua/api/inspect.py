"""Looking into trained models and runs, in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import stem_of
from residua.config import (
    CalibrateConfig,
    CurvesConfig,
    EvaluateConfig,
    InsideConfig,
    MistakesConfig,
    SweepConfig,
)
from residua.config.options import configure
from residua.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from residua.insight.calibration.numbers import CalibrationReport
    from residua.insight.inspection.feature_map import Method
    from residua.insight.inspection.numbers import Inside
    from residua.insight.mistakes.numbers import Mistakes
    from residua.training.learning_rate_finder import Sweep

MOST_FILES = 4  # of whose maps a picture is drawn
METHODS: dict[str, tuple[Method, ...]] = {
    "pca": ("pca",),
    "tsne": ("tsne",),
    "both": ("pca", "tsne"),
    "none": (),
}


def mistakes(
    model: str | Path, data: str | Path | None = None, *, say: Any = print, **options: Any
) -> tuple[Mistakes, list[Path]]:
    """The wrong answers of a model, worst first, and sheets of them beside the model, or in `output`.

    options: the fields of `MistakesConfig`. Without any mistake the sheet says so. Raises ResiduaError.
    """
    from residua.insight.evaluation.answers import answer_split
    from residua.insight.mistakes import numbers as found_in
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model

    config = configure(MistakesConfig, _named(data) | options)
    asked = EvaluateConfig.of(config)
    path = find_model(model)
    found = found_in.find_mistakes(answer_split(load_model(path), asked, say))
    stem = stem_of(path, config.output)
    drawn = [save_figure(found_in.mistakes_figure(found, config.show), Path(f"{stem}mistakes.png"))]
    if len(found):
        drawn.append(save_figure(found_in.pairs_figure(found), Path(f"{stem}pairs.png")))
    if len(found.label_errors):
        sheet = found_in.label_errors_figure(found, config.show)
        drawn.append(save_figure(sheet, Path(f"{stem}label-errors.png")))
    return found, drawn


def calibrate(
    model: str | Path, data: str | Path | None = None, *, say: Any = print, **options: Any
) -> tuple[CalibrationReport, list[Path]]:
    """Find a model's temperature and thresholds on validation pictures, and keep them in its file.

    options: the fields of `CalibrateConfig`. Two pictures are written beside the model, or into `output`.
    Raises ResiduaError; the file is then as it was.
    """
    from residua.insight.calibration.figure import reliability_figure, risk_coverage_figure
    from residua.insight.calibration.numbers import calibrate_model
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model, save_model

    config = configure(CalibrateConfig, _named(data) | options)
    path = find_model(model)
    stem = stem_of(path, config.output)
    report = calibrate_model(load_model(path), config, say)
    save_model(path, report.after.model)
    return report, [
        save_figure(reliability_figure(report.after), Path(f"{stem}reliability.png")),
        save_figure(risk_coverage_figure(report.after), Path(f"{stem}risk-coverage.png")),
    ]


def curves(runs: str | Path | Sequence[str | Path], **options: Any) -> Path:
    """Draw the learning curves of a run, or of several together; the picture's path.

    options: the fields of `CurvesConfig`. Raises RunError for a folder that is no run, or has no epoch.
    """
    from residua.insight.learning_curves.figure import check_epochs, curves_figure
    from residua.insight.shared.plotting import save_figure

    config = configure(CurvesConfig, options)
    named = [runs] if isinstance(runs, str | Path) else list(runs)
    folders = [Path(run) for run in named]
    if not folders:
        raise ConfigError("curves needs one run folder or more")
    check_epochs(folders)
    beside = folders[0] if len(folders) == 1 else Path()
    return save_figure(curves_figure(folders), Path(config.output or beside / "curves.png"))


def find_rate(data: str | Path, *, say: Any = print, **options: Any) -> tuple[Sweep, Path]:
    """Sweep the learning rate from low to high; what was found, and its picture, rates-DATA.png or `output`.

    options: the fields of `SweepOptions`, and of training's data, model, transfer and optimiser. Nothing of
    the training is kept. Raises ResiduaError.
    """
    from residua.insight.learning_curves.figure import sweep_figure
    from residua.insight.shared.plotting import save_figure
    from residua.training.learning_rate_finder import sweep_rates

    config = configure(SweepConfig, {"data": str(data)} | options)
    found = sweep_rates(config, say)
    path = Path(config.sweep.output or f"rates-{Path(data).name or 'pictures'}.png")
    return found, save_figure(sweep_figure(found), path)


def inside(
    model: str | Path, files: str | Path | Sequence[str | Path] = (), *, say: Any = print, **options: Any
) -> tuple[Inside | None, list[Path]]:
    """Draw what is inside a trained network; what was found on pictures of its data, and the pictures' paths.

    Filters of the first layer, maps of each stage for `files` (or two pictures of the data), the strongest
    pictures of channels, maps of the features, and, of a run, the statistics of its epochs. options: the
    fields of `InsideConfig`. Without data nothing is found, and only what needs none is drawn. Raises
    ResiduaError.
    """
    from residua.data.pictures.files import find_pictures
    from residua.engines import open_engine
    from residua.insight.evaluation.answers import answer_split
    from residua.insight.inspection import figure as figures
    from residua.insight.inspection.feature_map import feature_map_figure
    from residua.insight.inspection.numbers import frozen_chain, look_inside, stages
    from residua.insight.inspection.statistics import statistics_figure
    from residua.insight.shared.plotting import save_figure
    from residua.models.model_file import find_model, load_model
    from residua.training.layer_statistics import read_statistics

    config = configure(InsideConfig, options)
    path = find_model(model)
    loaded = load_model(path)
    frozen_chain(loaded)  # what cannot be looked into is refused before anything is drawn
    stem = stem_of(path, config.output)
    drawn: list[Path] = []

    def draw(name: str, figure: Callable[[], Figure]) -> None:
        try:
            drawn.append(save_figure(figure(), Path(f"{stem}{name}.png")))
        except ConfigError as error:  # what one network does not have is no reason to draw nothing of it
            say(f"Not drawn: {error}")

    draw("filters", lambda: figures.filters_figure(loaded))
    shape = loaded.preprocessing
    named = [files] if isinstance(files, str | Path) else list(files)
    images = {
        entry.name: shape.cut(shape.read(entry))
        for entry in find_pictures(Path(entry) for entry in named)[:MOST_FILES]
    }
    found = None
    if config.data is not None or loaded.training.get("data") is not None:
        asked = EvaluateConfig.of(config)
        answered = answer_split(loaded, asked, say, config.sample)
        found = look_inside(answered, config.sample, config.stage, config.engine, config.threads)
        if not images:
            names = answered.pictures.names
            images = {names[i]: answered.pictures.images[i] for i in (0, len(answered) // 2)}
    else:
        say("This model does not say what it was trained on: name a data set with --data to see more")
    engine = open_engine(config.engine, threads=config.threads)
    if stages(loaded):
        for number, (name, image) in enumerate(images.items(), start=1):
            draw(f"activations-{number}", partial(figures.activations_figure, loaded, image, engine, name))
    if found is not None:
        seen = found
        draw("strongest", lambda: figures.strongest_figure(seen, config.channels))
        for method in METHODS[config.map]:
            draw(f"map-{method}", partial(feature_map_figure, seen, method, config.seed))
    if Path(model).is_dir() and read_statistics(Path(model)):
        draw("statistics", lambda: statistics_figure(Path(model)))
    return found, drawn


def _named(data: str | Path | None) -> dict[str, Any]:
    return {} if data is None else {"data": str(data)}
