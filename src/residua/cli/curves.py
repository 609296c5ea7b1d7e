"""The verb curves."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, print_pictures
from residua.cli.terminal import to_stderr
from residua.config import CurvesConfig
from residua.errors import ConfigError


def curves(*runs: str, options: Annotated[CurvesConfig, Options] = CurvesConfig()) -> int:
    """Draw the learning curves of a run, or of several runs together.

    Parameters
    ----------
    runs
        Run folders.
    """
    from residua import api

    if not runs:
        raise ConfigError("curves needs one run folder or more")
    print_pictures([api.curves(runs, say=to_stderr, **vars(options))])
    return 0
