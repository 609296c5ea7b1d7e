"""The verbs that look into trained models and runs."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Group, Parameter

from residua.cli.terminal import to_stderr
from residua.config import (
    CalibrateConfig,
    CurvesConfig,
    DataOptions,
    InsideConfig,
    MistakesConfig,
    ModelOptions,
    OptimizerOptions,
    SweepOptions,
    TransferOptions,
)
from residua.errors import ConfigError

_SWEEP, _DATA, _MODEL, _TRANSFER, _OPTIMIZER = (
    Group(name, sort_key=place)
    for place, name in enumerate(("Sweep", "Data", "Model", "Transfer", "Optimiser"))
)
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
    from residua.insight.mistakes.numbers import mistakes_text

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
    from residua.insight.calibration.figure import WANTED
    from residua.insight.calibration.numbers import calibration_text

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


def inside(
    model: str,
    /,
    *files: str,
    json: _Switch = False,
    options: Annotated[InsideConfig, Parameter(name="*")] = InsideConfig(),
) -> int:
    """Draw what is inside a network: filters, maps, strongest pictures, a map of the features, dead units.

    Parameters
    ----------
    model
        A model file, or a run folder, whose statistics are drawn too.
    files
        Pictures whose maps are drawn, at most four (two of the data set).
    json
        Print what was found as JSON.
    """
    import json as json_module

    from residua import api
    from residua.insight.inspection.numbers import dead_text

    found, drawn = api.inside(model, files, say=to_stderr, **vars(options))
    if found is not None and json:
        print(json_module.dumps(found.to_dict()))
    elif found is not None:
        print(f"{found.answered.title}: {len(found.places):,} pictures looked at")
        print(dead_text(found))
    for path in drawn:
        (to_stderr if json else print)(f"Picture: {path}")
    return 0


def find_rate(
    data: str,
    /,
    *,
    json: _Switch = False,
    sweep: Annotated[SweepOptions, Parameter(name="*", group=_SWEEP)] = SweepOptions(),
    data_options: Annotated[DataOptions, Parameter(name="*", group=_DATA)] = DataOptions(),
    model_options: Annotated[ModelOptions, Parameter(name="*", group=_MODEL)] = ModelOptions(),
    transfer: Annotated[TransferOptions, Parameter(name="*", group=_TRANSFER)] = TransferOptions(),
    optimizer: Annotated[OptimizerOptions, Parameter(name="*", group=_OPTIMIZER)] = OptimizerOptions(),
) -> int:
    """Find a learning rate: train a moment with rates that rise from far too low to far too high.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    json
        Print everything as JSON.
    """
    import json as json_module

    from residua import api

    if data_options.data not in (DataOptions.data, data):
        raise ConfigError(f"two data sets were named, {data} and {data_options.data}: choose one")
    chosen = vars(data_options) | vars(model_options) | vars(transfer) | vars(optimizer) | vars(sweep)
    found, path = api.find_rate(say=to_stderr, **chosen | {"data": data})
    if json:
        print(json_module.dumps(found.to_dict()))
        return 0
    told = "no rate" if found.suggested is None else f"--rate {found.suggested:g}"
    print(f"{told}   (the sweep ended: {found.ended})")
    print(found.reason)
    print(f"Picture: {path}")
    return 0


def _given(data: str | None, options: MistakesConfig | CalibrateConfig) -> dict[str, Any]:
    """The options with the data that was named first. Raises ConfigError where two were named."""
    if data is not None and options.data not in (None, data):
        raise ConfigError(f"two data sets were named, {data} and {options.data}: choose one")
    return vars(options) | ({} if data is None else {"data": data})
