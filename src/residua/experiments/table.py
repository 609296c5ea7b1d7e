"""The results of an experiment in Markdown: published beside ours, and how to repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from residua.experiments.results import Results
from residua.files.names import command
from residua.insight.shared.text import format_duration

HEAD = (
    "| | published error | error here | seeds | deviation | 95 % interval | time of training steps |\n"
    "|---|---|---|---|---|---|---|"
)


def experiment_markdown(results: Results, commands: bool = True) -> str:
    """A heading, what it is about, the table, the claims, and the commands that repeat it."""
    parts = [f"## {results['title']}", results["about"]]
    if results["quick"]:
        parts.append("**A quick run on a slice of the data: these numbers say nothing of the experiment.**")
    parts.append(variants_table(results))
    notes = [f"- {row['title']}: {row['note']}" for row in results["variants"] if row["note"]]
    if notes:
        parts.append("\n".join(notes))
    if results["claims"]:
        parts.append("\n".join(_claim_line(claim) for claim in results["claims"]))
    parts += _facts(results)
    if commands and (lines := [run["command"] for row in results["variants"] for run in row["runs"]]):
        parts.append("```sh\n" + "\n".join([command("experiment", results["experiment"]), *lines]) + "\n```")
    return "\n\n".join(parts) + "\n"


def variants_table(results: Results) -> str:
    """A row for each variant; what was not run says so."""
    return "\n".join([HEAD, *(_row(row) for row in results["variants"])])


def _row(row: dict[str, Any]) -> str:
    published = "" if row["published"] is None else f"{row['published']:g} %"
    published += f" ({row['source']})" if row["source"] else ""
    finished = [run for run in row["runs"] if "error" in run]
    begun = [run for run in row["runs"] if run["state"] in ("unfinished", "diverged")]
    if not finished:
        words = f"not run: {row['missing']}" if "missing" in row else "not run"
        if begun:
            words = begun[0]["state"]
            words += f", {begun[0].get('epochs', 0)} epochs so far" if words == "unfinished" else ""
        return _cells(row["title"], published, _plain(words), "", "", "", "")
    low, high = row["interval"]
    seeds = ", ".join(str(run["seed"]) for run in finished)
    asked = [seed for seed in row["seeds"] if seed not in {run["seed"] for run in finished}]
    if asked:
        seeds += f" (not run: {', '.join(map(str, asked))})"
    return _cells(
        row["title"],
        published,
        f"**{row['mean']:.2f} %**{_beside(row)}" + (_wrong(finished[0]) if len(finished) == 1 else ""),
        seeds,
        "" if row["deviation"] is None else f"{row['deviation']:.2f}",
        f"{low:.2f} to {high:.2f} ({row['interval_of']})",
        _time(finished),
    )


def _time(runs: Sequence[dict[str, Any]]) -> str:
    """The mean time of the runs that know it, and that of all cores."""
    times = {name: [run[name] for run in runs if name in run] for name in ("seconds", "processor_seconds")}
    words = [format_duration(sum(every) / len(every)) if every else "" for every in times.values()]
    return words[0] + (f", processor {words[1]}" if words[1] else "")


def _beside(row: dict[str, Any]) -> str:
    """By how many points it lies above what was published, or below."""
    return "" if row["published"] is None else f", {row['mean'] - row['published']:+.2f} points"


def _wrong(run: dict[str, Any]) -> str:
    return f" ({run['wrong']:,} of {run['pictures']:,})"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def _claim_line(claim: dict[str, Any]) -> str:
    verdict = {"held": "it holds here", "not held": "the other way round here"}
    words = verdict.get(claim["verdict"], claim["verdict"])
    line = f"- {claim['text']}: **{words}**"
    if "difference" in claim:
        low, high = claim["interval"]
        line += (
            f" ({claim['difference']:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f} "
            f"by the {claim['interval_of']})"
        )
    return line + (f" ({claim['why']})" if "why" in claim else "")


def _facts(results: Results) -> list[str]:
    """Data, machines and versions, each said once."""
    runs = [run for row in results["variants"] for run in row["runs"]]
    facts = [
        f"The training pictures have the mean {_numbers(run['data_mean'])} and the deviation "
        f"{_numbers(run['data_deviation'])} per channel, as shares of white."
        for run in [run for run in runs if run.get("data_mean")][:1]
    ]
    facts += _machines(results["variants"])
    return facts


def _machines(rows: Sequence[Results]) -> list[str]:
    """Machines and versions; of several machines, which lines of the table are whose."""
    lines, versions = dict[str, list[str]](), set[str]()
    for row in rows:
        seeds = dict[str, list[int]]()
        for run in row["runs"]:
            if known := run.get("machine"):
                seeds.setdefault(f"{known.get('processor')}, {known.get('cores')} cores", []).append(
                    run["seed"]
                )
            if told := run.get("versions"):
                names = ("residua", "python", "numpy", "numba")
                versions.add(", ".join(f"{name} {told.get(name)}" for name in names))
        for machine, some in seeds.items():
            of = "" if len(some) == len(row["runs"]) else f", seed {', '.join(map(str, some))}"
            lines.setdefault(machine, []).append(row["title"] + of)
    if not lines:
        return []
    last = f"Versions: {'; '.join(sorted(versions))}."
    if len(lines) == 1:
        return [f"Machine: {next(iter(lines))}. {last}"]
    every = [f"- {machine}: {'; '.join(titles)}" for machine, titles in sorted(lines.items())]
    return ["Machines:\n\n" + "\n".join(every), last]


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
