"""The verb that writes a trained model's report."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import ReportConfig
from residua.errors import ConfigError


def report(
    model: str,
    data: str | None = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
    options: Annotated[ReportConfig, Parameter(name="*")] = ReportConfig(),
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
    import json as json_module

    from residua import api
    from residua.insight.report.text import summary

    if data is not None and options.data not in (None, data):
        raise ConfigError(f"two data sets were named, {data} and {options.data}: choose one")
    chosen = vars(options) | ({} if data is None else {"data": data})
    written = api.report(model, say=to_stderr, **chosen)
    print(json_module.dumps(written.to_dict()) if json else "\n".join(summary(written.findings)))
    tell = to_stderr if json else print
    tell(f"Report: {written.page}  ({written.page.stat().st_size / 1e6:.1f} MB, opens in any browser)")
    tell(f"Model card: {written.card}")
    return 0
