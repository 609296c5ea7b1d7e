"""The verb export."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, Switch, print_line, printer
from residua.cli.terminal import to_stderr
from residua.config import ExportConfig


def export(
    model: str,
    out: str | None = None,
    /,
    *,
    json: Switch = False,
    options: Annotated[ExportConfig, Options] = ExportConfig(),
) -> int:
    """Write a model as ONNX, for any program that runs it, with the proof that it answers the same.

    Parameters
    ----------
    model
        A model file or a run folder, whose best model is meant.
    out
        The file to write, which ends in .onnx, or a folder for it (beside the model).
    json
        Print what is known of the file as JSON.
    """
    from residua import api
    from residua.api.export import facts_file
    from residua.deploy.onnx.text import export_text

    path, _ = api.export(model, out, say=to_stderr, on_result=printer(json, export_text), **vars(options))
    print_line(f"ONNX file: {path}, and about it {facts_file(path).name}", json)
    return 0
