"""A model for other programs: ONNX, in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import OnResult, converted_file, ignore, written_after
from residua.config import ExportConfig
from residua.config.options import configure
from residua.files.durable import write_durably
from residua.files.output import make_parent

if TYPE_CHECKING:
    from residua.deploy.onnx.exporting import Export
    from residua.models.model_file import Model


def export(
    model: str | Path | Model,
    output: str | Path | None = None,
    *,
    say: Any = print,
    on_result: OnResult = ignore,
    **options: Any,
) -> tuple[Path, Export]:
    """Write a model file, or a run's best model, as an ONNX file, and beside it what proves it, as JSON.

    output: the file, or a folder for it (beside the model). options: the fields of `ExportConfig`. on_result:
    hears what the export came to before anything is written. Returns the file and that. Raises ResiduaError
    where nothing can be written there, a layer has no export, or the proof fails; nothing is written then.
    """
    from residua.deploy.onnx.exporting import check_options, export_model
    from residua.models.model_file import Model, load_model

    config = configure(ExportConfig, options)
    check_options(config)
    path = converted_file(model, output, "model.onnx", (".onnx",))
    loaded = model if isinstance(model, Model) else load_model(model)
    found = export_model(loaded, config, say)
    with written_after(found, on_result):
        write_durably(make_parent(path), found.content)
        text = json.dumps({"file": path.name, **found.to_dict()}, indent=1, ensure_ascii=False) + "\n"
        write_durably(facts_file(path), text.encode())
    return path, found


def facts_file(path: Path) -> Path:
    """Where the JSON about an ONNX file lies."""
    return path.with_name(f"{path.name}.json")
