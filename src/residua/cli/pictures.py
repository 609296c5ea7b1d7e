"""The verbs that look at pictures before anything is trained: check."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated

from cyclopts import Parameter

from residua.cli.terminal import to_stderr
from residua.config import CheckConfig

_Switch = Annotated[bool, Parameter(negative="")]


def check(
    data: str,
    /,
    *,
    json: _Switch = False,
    options: Annotated[CheckConfig, Parameter(name="*")] = CheckConfig(),
) -> int:
    """Look through a data set before training: counts, sizes, damage, copies, leaks.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    json
        Print everything as JSON, every pair of copies too.
    """
    import json as json_module

    from residua import api
    from residua.insight.check_text import findings_text

    with _bar("Comparing pictures") as watch:
        findings, path = api.check_data(data, say=to_stderr, watch=watch, **vars(options))
    print(json_module.dumps(findings.to_dict()) if json else findings_text(findings))
    (to_stderr if json else print)(f"Picture: {path}")
    return 0


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], object]]:
    """A bar on the error output that vanishes at the end; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
