"""The verb compare."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, Switch, print_pictures, printer
from residua.cli.terminal import Notes
from residua.config import CompareConfig


def compare(
    *models: str,
    json: Switch = False,
    options: Annotated[CompareConfig, Options] = CompareConfig(),
) -> int:
    """Compare trained models on the same pictures, and say which differences are more than chance.

    Parameters
    ----------
    models
        Two or more run folders or model files, of the same data and classes.
    json
        Print everything as JSON.
    """
    from residua import api
    from residua.insight.comparison.text import comparison_text

    show = printer(json, comparison_text)
    _, path = api.compare(models, say=Notes(), on_result=show, **vars(options))
    print_pictures([path], json)
    return 0
