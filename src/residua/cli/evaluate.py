"""The verb evaluate."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, Switch, printer
from residua.cli.terminal import Notes
from residua.config import EvaluateConfig


def evaluate(
    model: str,
    /,
    *,
    json: Switch = False,
    options: Annotated[EvaluateConfig, Options] = EvaluateConfig(),
) -> int:
    """Measure a model on pictures that it was not trained on.

    Parameters
    ----------
    model
        A model file or a run folder.
    json
        Print everything as JSON.
    """
    from residua import api
    from residua.insight.evaluation.text import evaluation_text

    api.evaluate(model, say=Notes(), on_result=printer(json, evaluation_text), **vars(options))
    return 0
