"""The verb inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from residua.cli.shared import Options, Switch, print_pictures, printer
from residua.cli.terminal import Notes
from residua.config import InsideConfig

if TYPE_CHECKING:
    from residua.insight.inspection.numbers import Inside


def inside(
    model: str,
    /,
    *files: str,
    json: Switch = False,
    options: Annotated[InsideConfig, Options] = InsideConfig(),
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
    from residua import api

    def show(result: Inside | None) -> None:
        if result is not None:
            printer(json, _text)(result)

    _, drawn = api.inside(model, files, say=Notes(), on_result=show, **vars(options))
    print_pictures(drawn, json)
    return 0


def _text(result: Inside) -> str:
    from residua.insight.inspection.text import dead_text

    return f"{result.answered.title}: {len(result.places):,} pictures looked at\n{dead_text(result)}"
