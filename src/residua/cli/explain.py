"""The verb that explains a model's answers."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import ExplainConfig

_Switch = Annotated[bool, Parameter(negative="")]


def explain(
    model: str,
    /,
    *files: str,
    json: _Switch = False,
    options: Annotated[ExplainConfig, Parameter(name="*")] = ExplainConfig(),
) -> int:
    """Show which parts of pictures an answer depends on: saliency maps by six methods.

    Parameters
    ----------
    model
        A model file or a run folder.
    files
        Pictures or folders of pictures (without them, some of the data set).
    json
        Print everything but the maps as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.saliency.randomization import randomised_text
    from residua.insight.saliency.text import explained_text

    found = api.explain(model, files, say=to_stderr, **vars(options))
    print(json_module.dumps(found.to_dict()) if json else explained_text(found.explained))
    if found.randomised is not None and not json:
        print(randomised_text(found.randomised))
    for path in found.drawn:
        (to_stderr if json else print)(f"Picture: {path}")
    for error in found.errors:
        to_stderr(f"residua: {error}")
    return 1 if found.errors else 0
