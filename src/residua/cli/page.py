"""The verb page."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, print_line
from residua.cli.terminal import to_stderr
from residua.config import PageConfig


def page(
    model: str,
    out: str | None = None,
    /,
    *,
    options: Annotated[PageConfig, Options] = PageConfig(),
) -> int:
    """Write a model as one page that answers pictures in any browser, without internet.

    Parameters
    ----------
    model
        A model file or a run folder, whose best model is meant.
    out
        The file to write, which ends in .html, or a folder for it (beside the model).
    """
    from residua import api

    path = api.page(model, out, say=to_stderr, **vars(options))
    print_line(f"Page: {path}, {path.stat().st_size / 1e6:.1f} MB; a double click opens it")
    return 0
