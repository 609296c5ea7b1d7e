"""Making a model as often right as it says, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, data_option, ignore, output_stem, save_picture, written_after
from residua.config import CalibrateConfig
from residua.config.options import configure
from residua.files.output import require_writable

if TYPE_CHECKING:
    from residua.insight.calibration.numbers import CalibrationReport


def calibrate(
    model: str | Path,
    data: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[CalibrationReport, list[Path]]:
    """Find a model's temperature and thresholds on validation pictures, and keep them in its file.

    options: the fields of `CalibrateConfig`. Two pictures are written beside the model, or into `output`.
    on_result: hears the report before anything is written. Raises ResiduaError; the file is then as it was.
    """
    from residua.insight.calibration.figure import reliability_figure, risk_coverage_figure
    from residua.insight.calibration.numbers import calibrate_model
    from residua.models.model_file import find_model, load_model, save_model

    config = configure(CalibrateConfig, data_option(data) | options)
    path = find_model(model)
    loaded = load_model(path)
    stem = output_stem(path, config.output)
    require_writable(path.parent, hint="calibrate keeps what it finds in the model file")
    report = calibrate_model(loaded, config, say)
    with written_after(report, on_result):
        save_model(path, report.after.model)
        drawn = [
            save_picture(reliability_figure(report.after), f"{stem}reliability.png"),
            save_picture(risk_coverage_figure(report.after), f"{stem}risk-coverage.png"),
        ]
    return report, drawn
