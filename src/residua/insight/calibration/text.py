"""Calibration in words: the temperature, figures before and after, thresholds of 'not sure'."""

from __future__ import annotations

from residua.files.names import printable
from residua.insight.calibration.numbers import CalibrationReport, coverage_at

ACCURACIES = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # for which thresholds are named


def calibration_text(report: CalibrationReport, accuracies: tuple[float, ...] = ACCURACIES) -> str:
    """Temperature, figures before and after, and a table of thresholds."""
    before, after, calibration = report.before.evaluation, report.after.evaluation, report.calibration
    lines = [
        f"{printable(calibration.data)}: {calibration.pictures:,} pictures",
        "",
        f"  temperature                 {calibration.temperature:8.4f}",
        "                                before     after",
        f"  negative log-likelihood     {before.loss:8.4f}  {after.loss:8.4f}",
        f"  expected calibration error  {100 * before.calibration_error:6.2f} %  "
        f"{100 * after.calibration_error:6.2f} %",
        f"  accuracy                    {100 * before.accuracy:6.2f} %  {100 * after.accuracy:6.2f} %",
        "",
        "  to be right so often   say 'not sure' below   answers of all   right",
    ]
    for wanted in accuracies:
        row = coverage_at(calibration, wanted)
        if row is None:
            lines.append(f"  {100 * wanted:17g} %   no threshold reaches it")
            continue
        share = 100 * row.accepted / calibration.pictures
        lines.append(
            f"  {100 * wanted:17g} %   {row.threshold:20.6f}   {share:12.2f} %   "
            f"{row.right:,} of {row.accepted:,}"
        )
    return "\n".join(lines)


def format_threshold(threshold: float) -> str:
    """Three digits, and more where they would all be nines."""
    return f"{threshold:.3f}" if threshold < 0.999 else f"{threshold:.6f}"
