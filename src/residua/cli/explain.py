"""The verb explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options, Switch, print_pictures, printer
from residua.cli.terminal import Notes, to_stderr
from residua.config import ExplainConfig

if TYPE_CHECKING:
    from residua.api import Explanations


def explain(
    model: str,
    /,
    *files: str,
    json: Switch = False,
    options: Annotated[ExplainConfig, Options] = ExplainConfig(),
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
    from residua import api

    result = api.explain(model, files, say=Notes(), on_result=printer(json, _text), **vars(options))
    print_pictures(result.drawn, json)
    for error in result.errors:
        to_stderr(f"residua: {error}")
    return 1 if result.errors else 0


def _text(result: Explanations) -> str:
    from residua.insight.saliency.text import explained_text, randomization_text

    parts = [explained_text(result.explained)]
    if result.randomization is not None:
        parts.append(randomization_text(result.randomization))
    return "\n".join(parts)
