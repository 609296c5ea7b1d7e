"""The verb check."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from residua.cli.shared import Options, Switch, print_pictures, printer
from residua.cli.terminal import to_stderr
from residua.config import CheckConfig


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
    with contextlib.ExitStack() as bar:
        watch = bar.enter_context(_bar("Comparing pictures"))

        def show_below(findings: Any) -> None:
            bar.close()
            show(findings)

        _, path = api.check_data(data, say=to_stderr, watch=watch, on_result=show_below, **vars(options))
    print_pictures([path], json)
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
