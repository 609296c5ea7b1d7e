"""Writing the report of a trained model, in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.places import made_folder
from residua.config import ReportConfig
from residua.config.options import configure

if TYPE_CHECKING:
    from residua.insight.report.contents import Findings


@dataclass(frozen=True, eq=False)
class Report:
    """What was written: one page of HTML and a model card in Markdown; and what they tell of."""

    page: Path
    card: Path
    findings: Findings

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


def report(model: str | Path, data: str | Path | None = None, *, say: Any = print, **options: Any) -> Report:
    """Write report.html and model-card.md into the run folder, or beside a model file with its name first.

    options: the fields of `ReportConfig`; with `output` both go into that folder. A model card that
    somebody has written in is kept, and the new one written beside it. Raises ResiduaError.
    """
    from residua.files.durable import write_durably
    from residua.insight.report.card import card_path, model_card
    from residua.insight.report.contents import gather
    from residua.insight.report.page import report_html

    config = configure(ReportConfig, ({} if data is None else {"data": str(data)}) | options)
    path = Path(model)
    folder, stem = (path, "") if path.is_dir() else (path.parent, f"{path.stem}-")
    if config.output is not None:
        folder, stem = made_folder(config.output), ""
    findings = gather(path, config, say)
    page = folder / f"{stem}report.html"
    write_durably(page, report_html(findings, config, say).encode())
    text = model_card(findings)
    card = card_path(folder / f"{stem}model-card.md", say)
    write_durably(card, text.encode())
    return Report(page, card, findings)
