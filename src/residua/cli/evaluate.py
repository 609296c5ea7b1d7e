"""The verb evaluate."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Switch, printer, sections
from residua.cli.terminal import Notes
from residua.config import EvaluateConfig, EvaluatePartsConfig

_MEASURED, _PARTS = sections("Pictures", "Pictures by the million")


def evaluate(
    model: str,
    /,
    *,
    json: Switch = False,
    options: Annotated[EvaluateConfig, _MEASURED] = EvaluateConfig(),
    parts: Annotated[EvaluatePartsConfig, _PARTS] = EvaluatePartsConfig(),
) -> int:
    """Measure a model on pictures that it was not trained on.

    With --parts pictures by the million are measured in parts, and the same command goes on where it stopped.

    Parameters
    ----------
    model
        A model file or a run folder.
    json
        Print everything as JSON.
    """
    from residua import api
    from residua.insight.evaluation.text import evaluation_text

    show = printer(json, evaluation_text)
    if parts != EvaluatePartsConfig():
        api.measure_in_parts(model, options, parts, Notes(), show)
    else:
        api.evaluate(model, say=Notes(), on_result=show, **vars(options))
    return 0
