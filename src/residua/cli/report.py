"""The verb report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options, Switch, print_line, printer, refuse_two_data_sets
from residua.cli.terminal import Notes
from residua.config import ReportConfig

if TYPE_CHECKING:
    from residua.api.report import Report


def report(
    model: str,
    data: str | None = None,
    /,
    *,
    json: Switch = False,
    options: Annotated[ReportConfig, Options] = ReportConfig(),
) -> int:
    """Write one page about a model that can be sent to a colleague, and a model card beside it.

    Parameters
    ----------
    model
        A run folder, or a model file.
    data
        A data set's name or a folder of pictures (what the model was trained on).
    json
        Print what was found as JSON.
    """
    from residua import api

    refuse_two_data_sets(data, options.data)
    chosen = vars(options) | {"data": data or options.data}
    written = api.report(model, say=Notes(), on_result=printer(json, _text), **chosen)
    size = f"{written.page.stat().st_size / 1e6:.1f} MB, opens in any browser"
    print_line(f"Report: {written.page}  ({size})", json)
    print_line(f"Model card: {written.card}", json)
    return 0


def _text(written: Report) -> str:
    from residua.insight.report.text import summary

    return "\n".join(summary(written.findings))
