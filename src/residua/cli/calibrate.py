"""The verb calibrate."""

from __future__ import annotations

from typing import Annotated

from residua.cli.shared import Options, Switch, print_line, print_pictures, printer, refuse_two_data_sets
from residua.cli.terminal import Notes
from residua.config import CalibrateConfig


def calibrate(
    model: str,
    data: str | None = None,
    /,
    *,
    json: Switch = False,
    options: Annotated[CalibrateConfig, Options] = CalibrateConfig(),
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
    from residua import api
    from residua.insight.calibration.text import calibration_text

    refuse_two_data_sets(data, options.data)
    chosen = vars(options) | {"data": data or options.data}
    _, drawn = api.calibrate(model, say=Notes(), on_result=printer(json, calibration_text), **chosen)
    print_pictures(drawn, json)
    print_line(
        f"Kept in {model}; `residua predict --reject-accuracy 0.99` says 'not sure' where needed", json
    )
    return 0
