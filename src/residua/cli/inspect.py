"""The verbs that look into trained models and runs."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import CalibrateConfig, CurvesConfig, MistakesConfig
from residua.errors import ConfigError

_Switch = Annotated[bool, Parameter(negative="")]


def mistakes(
    model: str,
    data: str | None = None,
    /,
    *,
    json: _Switch = False,
    options: Annotated[MistakesConfig, Parameter(name="*")] = MistakesConfig(),
) -> int:
    """Show what a model gets wrong: the worst mistakes, the classes it confuses, labels that may be wrong.

    Parameters
    ----------
    model
        A model file or a run folder.
    data
        A data set's name or a folder of pictures (what the model was trained on).
    json
        Print everything as JSON, every mistake too.
    """
    import json as json_module

    from residua import api
    from residua.insight.mistakes import mistakes_text

    found, drawn = api.mistakes(model, say=to_stderr, **_given(data, options))
    print(json_module.dumps(found.to_dict()) if json else mistakes_text(found))
    for path in drawn:
        (to_stderr if json else print)(f"Picture: {path}")
    return 0


def calibrate(
    model: str,
    data: str | None = None,
    /,
    *,
    json: _Switch = False,
    options: Annotated[CalibrateConfig, Parameter(name="*")] = CalibrateConfig(),
) -> int:
    """Make a model as often right as it says, and find when it should say 'not sure'; kept in its file.

    Parameters
    ----------
    model
        A model file or a run folder, whose best model is meant.
    data
        A data set's name, whose validation split is used, or a folder (what the model was trained on).
    json
        Print everything as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.calibration import calibration_text
    from residua.insight.calibration_figures import WANTED

    report, drawn = api.calibrate(model, say=to_stderr, **_given(data, options))
    print(json_module.dumps(report.to_dict()) if json else calibration_text(report, WANTED))
    tell = to_stderr if json else print
    for path in drawn:
        tell(f"Picture: {path}")
    tell(f"Kept in {model}; `residua predict --reject-accuracy 0.99` says 'not sure' where needed")
    return 0


def curves(*runs: str, options: Annotated[CurvesConfig, Parameter(name="*")] = CurvesConfig()) -> int:
    """Draw the learning curves of a run, or of several runs together.

    Parameters
    ----------
    runs
        Run folders.
    """
    from residua import api

    if not runs:
        raise ConfigError("curves needs one run folder or more")
    print(f"Picture: {api.curves(runs, **vars(options))}")
    return 0


def _given(data: str | None, options: MistakesConfig | CalibrateConfig) -> dict[str, Any]:
    """The options with the data that was named first. Raises ConfigError where two were named."""
    if data is not None and options.data not in (None, data):
        raise ConfigError(f"two data sets were named, {data} and {options.data}: choose one")
    return vars(options) | ({} if data is None else {"data": data})
