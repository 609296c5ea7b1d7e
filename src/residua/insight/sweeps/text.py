"""A sweep in words: the line of a trial, the table while it goes on, and the page at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from residua.files.names import printable
from residua.insight.evaluation.text import measured_line
from residua.insight.shared.text import cells, format_duration, padded
from residua.insight.sweeps.numbers import SweepResult, TrialRow, ranked

MOST_ROWS = 20  # of the page; results.json has all


def value_text(value: Any) -> str:
    """A value of what varies: numbers to four digits."""
    return f"{value:.4g}" if isinstance(value, float) else printable(value)


def accuracy_text(row: TrialRow) -> str:
    """A trial's validation accuracy."""
    return "-" if row.accuracy is None else f"{100 * row.accuracy:.2f} %"


def trial_line(row: TrialRow, best: bool) -> str:
    """A trial in one line, when it has ended."""
    values = "  ".join(f"{name.strip('_')} {value_text(value)}" for name, value in row.values.items())
    epochs = f"{row.epochs} epoch" + ("" if row.epochs == 1 else "s")
    line = f"trial {row.number}  {values}  validation {accuracy_text(row)}  {epochs}"
    if row.seconds is not None:
        line += f"  {format_duration(row.seconds)}"
    if row.state != "done":
        line += f"  {printable(row.note) or row.state}"
    return line + ("  best" if best else "")


HEAD = ("trial", "validation", "epochs", "time", "state")


def trial_cells(row: TrialRow, names: Sequence[str]) -> list[str]:
    """A trial's row of a table, under the names of what varies and `HEAD`."""
    values = [value_text(row.values[name]) if name in row.values else "" for name in names]
    time = "" if row.seconds is None else format_duration(row.seconds)
    return [str(row.number), *values, accuracy_text(row), str(row.epochs), time, row.state]


def table_head(names: Sequence[str]) -> list[str]:
    """The names over a table of trials."""
    return [HEAD[0], *(name.strip("_") for name in names), *HEAD[1:]]


def counts_text(rows: Sequence[TrialRow]) -> str:
    """How many trials there were, and how they ended."""
    states = [row.state for row in rows]
    kinds = [f"{states.count(kind)} {kind}" for kind in dict.fromkeys(sorted(states, key=_order))]
    return f"{len(rows)} trial" + ("" if len(rows) == 1 else "s") + f" ({', '.join(kinds)})"


def _order(state: str) -> int:
    return ("done", "pruned", "diverged", "failed", "running").index(state)


def sweep_text(result: SweepResult) -> str:
    """The page that `residua sweep` ends with."""
    names = [axis.name for axis in result.axes]
    shown = ranked(result.rows)[:MOST_ROWS]
    table = [table_head(names), *(trial_cells(row, names) for row in shown)]
    widths = [max(cells(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [f"{printable(result.name)}, {result.sampler}: {counts_text(result.rows)}", ""]
    lines += ["  " + "  ".join(map(padded, line, widths)).rstrip() for line in table]
    if len(shown) < len(result.rows):
        lines.append(f"  and {len(result.rows) - len(shown):,} more in results.json")
    failed = [row for row in result.rows if row.state == "failed"]
    if failed:
        first = f"trial {failed[0].number}: {printable(failed[0].note)}"
        lines += ["", f"  {len(failed)} could not be trained; {first}"]
    if result.importance:
        shares = [f"{name.strip('_')} {100 * share:.0f} %" for name, share in result.importance.items()]
        lines += ["", f"  what mattered: {', '.join(shares)}"]
    best = result.best
    lines += ["", f"Best: trial {best.number}, validation accuracy {accuracy_text(best)}"]
    lines.append(measured_text(result))
    lines += [f"Best model: {printable(best.run)}/best.safetensors", f"The best again: {result.command}"]
    return "\n".join(lines)


def measured_text(result: SweepResult) -> str:
    """What the best is worth, and among how many it was chosen."""
    if result.test is None:
        return "Test accuracy: there is no test split"
    chosen = f"the best of {len(result.rows)} by validation" if len(result.rows) > 1 else "the only trial"
    return f"{measured_line(result.test)}; measured once, for {chosen}"
