"""The verbs for several models, and for models that draw: ensemble, reconstruct."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import EnsembleConfig, ReconstructConfig
from residua.errors import ConfigError


def ensemble(
    out: str,
    /,
    *models: str,
    json: Annotated[bool, Parameter(negative="")] = False,
    options: Annotated[EnsembleConfig, Parameter(name="*")] = EnsembleConfig(),
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
    import json as json_module

    from residua import api
    from residua.insight.ensembles.numbers import report_text

    if len(models) < 2:
        raise ConfigError(
            f"ensemble takes a file to write and two or more models; {len(models)} came after it"
        )
    _, report = api.ensemble(out, models, say=to_stderr, **vars(options))
    if report is not None:
        print(json_module.dumps(report.to_dict()) if json else report_text(report))
    to_stderr(f"Model file: {out}")
    return 0


def reconstruct(
    model: str, /, *, options: Annotated[ReconstructConfig, Parameter(name="*")] = ReconstructConfig()
) -> int:
    """Draw what a capsule network's decoder makes of pictures, and what each of its dimensions means.

    Parameters
    ----------
    model
        A model file or a run folder of capsnet.
    """
    from residua import api

    for path in api.reconstruct(model, say=to_stderr, **vars(options)):
        print(f"Picture: {path}")
    return 0
