"""The verb check."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from residua.cli.shared import Options, Switch, print_pictures, printer
from residua.cli.terminal import to_stderr
from residua.config import CheckConfig
from residua.progress import separate_bar


def check(
    data: str,
    /,
    *,
    json: Switch = False,
    options: Annotated[CheckConfig, Options] = CheckConfig(),
) -> int:
    """Look through a data set before training: counts, sizes, damage, copies, leaks.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    json
        Print everything as JSON, every pair of copies too.
    """
    from residua import api
    from residua.insight.data_quality.text import findings_text

    show = printer(json, findings_text)
    with contextlib.ExitStack() as stack:
        shown = stack.enter_context(separate_bar("Comparing pictures", None))

        def watch(done: int, total: int) -> None:
            if shown is not None:
                shown.set(done, total)

        def show_below(findings: Any) -> None:
            stack.close()
            show(findings)

        _, path = api.check_data(data, say=to_stderr, watch=watch, on_result=show_below, **vars(options))
    print_pictures([path], json)
    return 0
