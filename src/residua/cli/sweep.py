"""The verb sweep."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from residua.cli.shared import Options, Switch, printer
from residua.cli.terminal import to_stderr, to_stdout
from residua.config import SweepConfig
from residua.files.names import printable

if TYPE_CHECKING:
    from residua.insight.sweeps.numbers import SweepResult, TrialRow


def sweep(
    file: str,
    /,
    *,
    json: Switch = False,
    options: Annotated[SweepConfig, Options] = SweepConfig(),
) -> int:
    """Train with many sets of options, and find the best by validation accuracy.

    Parameters
    ----------
    file
        The sweep's TOML file, or the folder of a sweep that was begun: it goes on, with whoever is there.
    json
        Print everything as JSON.
    """
    from residua import api
    from residua.insight.sweeps.text import sweep_text

    shown = _Table() if sys.stdout.isatty() and not json else _Lines(to_stderr if json else to_stdout)
    say = to_stderr if json else shown.say
    show = printer(json, sweep_text)

    def finish(result: SweepResult) -> None:
        shown.close()
        if not json:
            to_stdout()
        show(result)

    try:
        result = api.sweep(file, say=say, on_rows=shown.update, on_result=finish, **vars(options))
    finally:
        shown.close()
    if not json:
        pictures = "parallel.png, best.png" + (" and importance.png" if result.importance else "")
        to_stdout(f"Folder of the sweep: {printable(result.folder)}  with results.json, {pictures}")
    return 0


class _Lines:
    """A line for each trial that ends, for a file or a pipe."""

    def __init__(self, say: Any) -> None:
        self.say = say
        self.ended: set[int] = set()

    def update(self, rows: Sequence[TrialRow]) -> None:
        """Say what has ended since."""
        from residua.insight.sweeps.numbers import best_row
        from residua.insight.sweeps.text import trial_line

        for row in rows:
            if row.state != "running" and row.number not in self.ended:
                self.ended.add(row.number)
                best = best_row([other for other in rows if other.number in self.ended])
                self.say(trial_line(row, best is row))

    def close(self) -> None:
        """Nothing is held open."""


class _Table:
    """A table that lives in the terminal: who trains what, and the best so far."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.live = Live(console=Console(highlight=False), transient=True, auto_refresh=False)
        self.live.start()

    def say(self, line: str) -> None:
        """Print the line above the table."""
        self.live.console.print(printable(line), markup=False, soft_wrap=True)

    def update(self, rows: Sequence[TrialRow]) -> None:
        """Show the trials as they stand."""
        self.live.update(_table(rows, max(self.live.console.height - 6, 4)), refresh=True)

    def close(self) -> None:
        """Take it away."""
        self.live.stop()


def _table(rows: Sequence[TrialRow], height: int) -> Any:
    """Those that are trained, and below them the best of the others, as many as have room."""
    from rich.table import Table
    from rich.text import Text

    from residua.insight.sweeps.numbers import best_row, ranked
    from residua.insight.sweeps.text import counts_text, table_head, trial_cells

    names = list(dict.fromkeys(name for row in rows for name in row.values))
    best = best_row(rows)
    running = [row for row in rows if row.state == "running"]
    table = Table(*table_head(names), title=counts_text(rows), box=None, title_justify="left")
    for row in [*running, *(row for row in ranked(rows) if row.state != "running")][:height]:
        words = trial_cells(row, names)
        if row.state == "running":
            words[-1] = f"trained by {row.note}" if row.note else "begins"
        style = "bold" if row is best else "dim" if row.state in ("pruned", "diverged", "failed") else ""
        table.add_row(*(Text(printable(word)) for word in words), style=style)
    return table
