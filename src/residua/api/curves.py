"""Drawing learning curves, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from residua.api.inputs import named_paths
from residua.api.output import picture_file, save_picture
from residua.config import CurvesConfig
from residua.config.options import configure
from residua.errors import ConfigError


def curves(runs: str | Path | Sequence[str | Path], *, say: Any = print, **options: Any) -> Path:
    """Draw the learning curves of a run, or of several together; the picture's path.

    options: the fields of `CurvesConfig`. Raises RunError for a folder that is no run, or has no epoch.
    """
    from residua.insight.learning_curves.figure import curves_figure
    from residua.insight.learning_curves.numbers import check_epochs
    from residua.training.run_folder import torn_logs

    config = configure(CurvesConfig, options)
    folders = named_paths(runs, "a run")
    if not folders:
        raise ConfigError("curves needs one run folder or more")
    check_epochs(folders)
    for line in (line for run in folders for line in torn_logs(run)):
        say(line)
    beside = folders[0] if len(folders) == 1 else Path()
    path = picture_file(config.output, beside / "curves.png")
    return save_picture(curves_figure(folders), path)
