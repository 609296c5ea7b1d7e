"""Writing the report of a trained model, in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.inputs import named_path
from residua.api.output import OnResult, data_option, ignore, written_after
from residua.config import ReportConfig
from residua.config.options import configure
from residua.files.output import make_parent, output_folder, require_writable

if TYPE_CHECKING:
    from residua.insight.report.numbers import ReportContents


@dataclass(frozen=True, eq=False)
class Report:
    """What was written: one page of HTML and a model card in Markdown; and what they tell of."""

    page: Path
    card: Path
    findings: ReportContents

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: the files, and the figures at the top of the page."""
        from residua.insight.report.text import summary

        e = self.findings.answered.evaluation
        figures = {
            key: getattr(e, key) for key in ("data", "split", "pictures", "correct", "accuracy", "loss")
        }
        return {
            "report": str(self.page),
            "model_card": str(self.card),
            "summary": summary(self.findings),
            **figures,
            "interval": list(e.interval),
            "calibration_error": e.calibration_error,
        }


def report(
    model: str | Path,
    data: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> Report:
    """Write report.html and model-card.md into the run folder, or beside a model file with its name first.

    options: the fields of `ReportConfig`; with `output` both go into that folder. A model card that
    somebody has written in is kept, and the new one written beside it. on_result: hears of the report before
    anything is written. Raises ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.report.card import card_path, model_card
    from residua.insight.report.numbers import collect_contents
    from residua.insight.report.page import report_html

    config = configure(ReportConfig, data_option(data) | options)
    path = named_path(model, "a model")
    folder, stem = (path, "") if path.is_dir() else (path.parent, f"{path.stem}-")
    if config.output is not None:
        folder, stem = output_folder(config.output, foreign=(".html", ".htm", ".md")), ""
    elif path.exists():
        require_writable(folder)
    contents = collect_contents(path, config, say)
    page, card = folder / f"{stem}report.html", card_path(folder / f"{stem}model-card.md", say)
    result = Report(page, card, contents)
    with written_after(result, on_result):
        write_durably(make_parent(page), report_html(contents, config.show).encode())
        write_durably(card, model_card(contents).encode())
    return result
