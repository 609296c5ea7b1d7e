"""The verb mistakes."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, Switch, print_pictures, printer, refuse_two_data_sets
from residua.cli.terminal import Notes
from residua.config import MistakesConfig


def mistakes(
    model: str,
    data: str | None = None,
    /,
    *,
    json: Switch = False,
    options: Annotated[MistakesConfig, Options] = MistakesConfig(),
) -> int:
    """Show what a model gets wrong: the worst mistakes, the classes it confuses, labels that may be wrong.

    Parameters
    ----------
    model
        A model file or a run folder.
    data
        A data set's name or a folder of pictures (what the model was trained on).
    json
        Print everything as JSON, every mistake too.
    """
    from residua import api
    from residua.insight.mistakes.text import mistakes_text

    refuse_two_data_sets(data, options.data)
    chosen = vars(options) | {"data": data or options.data}
    _, drawn = api.mistakes(model, say=Notes(), on_result=printer(json, mistakes_text), **chosen)
    print_pictures(drawn, json)
    return 0
