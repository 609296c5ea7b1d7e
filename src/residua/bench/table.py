"""Tables for a document from the JSON files of `residua bench`.

    python -m residua.bench.table FILE... [--into DOCUMENT]

The newest day's come first, in the order of the files' names. Without --into they are printed; with it
they replace what stands between the document's lines `<!-- figures -->` and `<!-- end of figures -->`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from residua.bench.results import OURS, THEIRS, format_threads
from residua.errors import ConfigError, ResiduaError
from residua.files.durable import write_durably

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def describe_machine(figures: Mapping[str, Any]) -> str:
    """Machine, versions, threads and clock."""
    machine = figures["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {packages}"
    about += f"; {format_threads(figures['threads'])}, {figures['clock']}"
    changed = [f"{name}={value}" for name, value in figures.get("environment", {}).items()]
    return f"{about}; with {' '.join(changed)}" if changed else about


def table(figures: Mapping[str, Any]) -> str:
    """Markdown: machine and versions, then the results; those of other sides have a table of their own.

    The share of the peak counts a convolution's plain sum, which Winograd's way undercuts.
    """
    measured = f"measured {figures['measured'][:10]}"
    if figures.get("load_before") is not None:
        measured += f" at a load of {figures['load_before']:g}"
    peak = f"a square matrix product reached {figures['sgemm_peak_gflops']} GFLOP/s"
    spread = "Medians, in brackets the 10th to 90th percentile."
    lines = [f"{describe_machine(figures)}; {measured}; {peak}. {spread}"]
    for (sides, ratio), rows in groupby(figures["results"], key=_columns):
        lines += ["", *_rows(sides, ratio, list(rows))]
    return "\n".join(lines) + "\n"


def _columns(row: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Its sides, PyTorch among residua's though it may be missing, and what the ratio is of."""
    sides = tuple(row["sides"])
    return (OURS, THEIRS) if set(sides) <= {OURS, THEIRS} else sides, row["ratio_of"]


def _rows(sides: Sequence[str], ratio: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    shares = any("share_of_sgemm_peak" in about for row in rows for about in row["sides"].values())
    reads = any("share_of_bandwidth" in about for row in rows for about in row["sides"].values())
    head = ["work", *sides, ratio, "to reach", *(["share of the sgemm peak"] if shares else [])]
    head += ["share of the memory's bandwidth"] if reads else []
    head += ["logits differ by"] if any("differences" in row for row in rows) else []
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        measured = row["sides"]
        cells = [
            row["work"],
            *(_side(row, side) if side in measured else "" for side in sides),
        ]
        cells += [_ratio(row), _goal(row)]
        if shares:
            cells.append(_shares(row, sides, "share_of_sgemm_peak"))
        if reads:
            cells.append(_shares(row, sides, "share_of_bandwidth"))
        if "differences" in row:
            cells.append(_difference(row))
        lines.append(_line(cells))
    return lines


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _side(row: Mapping[str, Any], side: str) -> str:
    """A side's time; in a race with how many times as long as ours it took."""
    about = row["sides"][side]
    mode = f", {about['mode']}" if "mode" in about and "ratios" not in row else ""
    text = f"{about['median']:g} {row['unit']} ({about['low']:g} to {about['high']:g}{mode})"
    ratio = row.get("ratios", {}).get(side)
    return f"{text}: {ratio['of_medians']:.2f}" if ratio else text


def _shares(row: Mapping[str, Any], sides: Sequence[str], name: str) -> str:
    stated = [row["sides"][side].get(name) for side in sides if side in row["sides"]]
    return " / ".join(f"{share:.2f}" for share in stated if share is not None)


def _difference(row: Mapping[str, Any]) -> str:
    """The largest of all sides, as a share of the largest logit."""
    shares = [difference["share"] for difference in row["differences"].values()]
    if not shares:
        return ""
    return f"{max(shares):.0e}" + ("" if row["agree"] else ": **other answers**")


def _ratio(row: Mapping[str, Any]) -> str:
    if "ratio" not in row:
        return ""
    rounds = row["ratio"]["of_rounds"]
    return f"{row['ratio']['of_medians']:.2f} ({rounds['low']:.2f} to {rounds['high']:.2f})"


def _goal(row: Mapping[str, Any]) -> str:
    goal: str = row.get("to_reach", "")
    return f"{goal}: **missed**" if row.get("reached") is False else goal


def tables(paths: Sequence[str | Path]) -> str:
    """Those of several files: the newest day's first, in the order of their names. Raises ConfigError."""
    figures = [read_figures(path) for path in sorted(paths)]
    figures.sort(key=lambda of_file: of_file["measured"][:10], reverse=True)
    return "\n".join(table(of_file) for of_file in figures)


def paste(document: str, between: str) -> str:
    """The document with the tables between its two marks. Raises ConfigError where it lacks them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"the document needs the lines {BEGIN} and {END}: the tables go between them")
    return f"{before}{BEGIN}\n\n{between}\n{END}{after}"


def read_figures(path: str | Path) -> dict[str, Any]:
    """What `residua bench --json` wrote. Raises ConfigError."""
    try:
        figures = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON file: {error}") from None
    if not isinstance(figures, dict) or not {"machine", "versions", "results"} <= set(figures):
        raise ConfigError(f"{path} holds no figures of `residua bench`: give it a file that --json wrote")
    return figures


def main(arguments: Sequence[str]) -> None:
    """Print the tables of these files, or put them into a document."""
    names, into = list(arguments), None
    if "--into" in names:
        place = names.index("--into")
        into = Path(names[place + 1]) if place + 1 < len(names) else None
        del names[place : place + 2]
    if not names or ("--into" in arguments and into is None):
        raise ConfigError("give the JSON files that `residua bench` wrote, and a document after --into")
    text = tables(names)
    if into is None:
        print(text, end="")
    else:
        write_durably(into, paste(into.read_text(encoding="utf-8"), text).encode())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ResiduaError as error:
        sys.exit(f"residua.bench.table: {error}")
