"""The verbs that look at pictures before anything is trained: check and augment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated

from cyclopts import Group, Parameter

from residua.cli.terminal import to_stderr
from residua.config import CheckConfig, DataOptions, SheetOptions
from residua.errors import ConfigError

_SHEET, _DATA = Group("Sheet", sort_key=0), Group("Data", sort_key=1)
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
    from residua.insight.data_quality.text import findings_text

    with _bar("Comparing pictures") as watch:
        findings, path = api.check_data(data, say=to_stderr, watch=watch, **vars(options))
    print(json_module.dumps(findings.to_dict()) if json else findings_text(findings))
    (to_stderr if json else print)(f"Picture: {path}")
    return 0


def augment(
    data: str,
    /,
    *,
    sheet: Annotated[SheetOptions, Parameter(name="*", group=_SHEET)] = SheetOptions(),
    options: Annotated[DataOptions, Parameter(name="*", group=_DATA)] = DataOptions(),
) -> int:
    """Show training pictures before and after they are varied; without options, every variation alone.

    Parameters
    ----------
    data
        A data set's name, or a folder of pictures.
    """
    from residua import api

    if options.data not in (DataOptions.data, data):
        raise ConfigError(f"two data sets were named, {data} and {options.data}: choose one")
    chosen = vars(options) | {"data": data} | vars(sheet)
    print(f"Picture: {api.augment_sheet(say=to_stderr, **chosen)}")
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
