"""The verb that compares trained models."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import CompareConfig


def compare(
    *models: str,
    json: Annotated[bool, Parameter(negative="")] = False,
    options: Annotated[CompareConfig, Parameter(name="*")] = CompareConfig(),
) -> int:
    """Compare trained models on the same pictures, and say which differences are more than chance.

    Parameters
    ----------
    models
        Two or more run folders or model files, of the same data and classes.
    json
        Print everything as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.comparison.text import comparison_text

    comparison, drawn = api.compare(models, say=to_stderr, **vars(options))
    print(json_module.dumps(comparison.to_dict()) if json else comparison_text(comparison))
    (to_stderr if json else print)(f"Picture: {drawn}")
    return 0
