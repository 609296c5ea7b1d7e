"""A model as one page of HTML, in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.api.output import converted_file
from residua.config import PageConfig
from residua.config.options import configure
from residua.files.durable import write_durably
from residua.files.output import make_parent

if TYPE_CHECKING:
    from residua.models.model_file import Model


def page(
    model: str | Path | Model, output: str | Path | None = None, *, say: Any = print, **options: Any
) -> Path:
    """Write a model file, or a run's best model, as one page that answers pictures in any browser.

    output: the file, or a folder for it (beside the model). options: the fields of `PageConfig`. Returns the
    file. Raises ResiduaError where nothing can be written there, the model is too large or has a layer that
    pages do not know.
    """
    from residua.deploy.page.document import page_html
    from residua.deploy.page.halving import half_text, measure_half
    from residua.models.model_file import Model, load_model

    config = configure(PageConfig, options)
    path = converted_file(model, output, "page.html", (".html", ".htm"))
    loaded = model if isinstance(model, Model) else load_model(model)
    content = page_html(loaded, config).encode()
    if config.half:
        say(half_text(measure_half(loaded, config, say)))
    write_durably(make_parent(path), content)
    return path
