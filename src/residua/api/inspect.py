"""Looking into trained models and runs, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.config import CalibrateConfig, CurvesConfig, EvaluateConfig, MistakesConfig
from residua.errors import ConfigError
from residua.options import configure

if TYPE_CHECKING:
    from residua.insight.calibration import CalibrationReport
    from residua.insight.mistakes import Mistakes


def mistakes(
    model: str | Path, data: str | Path | None = None, *, say: Any = print, **options: Any
) -> tuple[Mistakes, list[Path]]:
    """The wrong answers of a model, worst first, and sheets of them beside the model, or in `output`.

    options: the fields of `MistakesConfig`. Without any mistake the sheet says so. Raises ResiduaError.
    """
    from residua.insight import mistakes as found_in
    from residua.insight.evaluate import answer_split
    from residua.insight.figures import save_figure
    from residua.models.model_file import load_model

    config = configure(MistakesConfig, _named(data) | options)
    asked = EvaluateConfig(
        data=config.data,
        data_dir=config.data_dir,
        labels=config.labels,
        split=config.split,
        views=config.views,
        batch=config.batch,
        engine=config.engine,
        threads=config.threads,
    )
    path = _file(model)
    found = found_in.find_mistakes(answer_split(load_model(path), asked, say))
    stem = _stem(path, config.output)
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
    from residua.insight.calibration import calibrate_model
    from residua.insight.calibration_figures import reliability_figure, risk_coverage_figure
    from residua.insight.figures import save_figure
    from residua.models.model_file import load_model, save_model

    config = configure(CalibrateConfig, _named(data) | options)
    path = _file(model)
    stem = _stem(path, config.output)
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
    from residua.insight.curves import check_epochs, curves_figure
    from residua.insight.figures import save_figure

    config = configure(CurvesConfig, options)
    named = [runs] if isinstance(runs, str | Path) else list(runs)
    folders = [Path(run) for run in named]
    if not folders:
        raise ConfigError("curves needs one run folder or more")
    check_epochs(folders)
    beside = folders[0] if len(folders) == 1 else Path()
    return save_figure(curves_figure(folders), Path(config.output or beside / "curves.png"))


def _named(data: str | Path | None) -> dict[str, Any]:
    return {} if data is None else {"data": str(data)}


def _file(model: str | Path) -> Path:
    """The model file that is meant by a file or a run folder."""
    from residua.models.model_file import best_model

    return best_model(model) if Path(model).is_dir() else Path(model)


def _stem(path: Path, output: str | None) -> str:
    """What the names of pictures begin with: the model's own beside it, or a folder. Raises ConfigError."""
    if output is None:
        return str(path.with_name(f"{path.stem}-"))
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output takes a folder, not {output}: {error.strerror}") from None
    return str(Path(output)) + "/"
