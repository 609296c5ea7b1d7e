"""The verb ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options, Switch, printer
from residua.cli.terminal import Notes, to_stderr
from residua.config import EnsembleConfig
from residua.errors import ConfigError

if TYPE_CHECKING:
    from residua.insight.ensembles.numbers import EnsembleReport


def ensemble(
    out: str,
    /,
    *models: str,
    json: Switch = False,
    options: Annotated[EnsembleConfig, Options] = EnsembleConfig(),
) -> int:
    """Join trained models into one that answers for all, and say what each of them adds.

    Parameters
    ----------
    out
        The model file to write.
    models
        Two or more model files or run folders, with the same classes and sizes of pictures.
    json
        Print the report as JSON.
    """
    from residua import api
    from residua.insight.ensembles.text import ensemble_text

    if len(models) < 2:
        raise ConfigError(
            f"ensemble takes a file to write and two or more models; {len(models)} came after it"
        )

    def show(report: EnsembleReport | None) -> None:
        if report is not None:
            printer(json, ensemble_text)(report)

    path = api.ensemble_file(out)
    api.ensemble(path, models, say=Notes(), on_result=show, **vars(options))
    to_stderr(f"Model file: {path}")
    return 0
