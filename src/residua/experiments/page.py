"""docs/results.md and the lines of the README: made of results that are kept as JSON, and of nothing else."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from residua.errors import RunError
from residua.experiments.catalogue import experiment_names, find_experiment
from residua.experiments.recipe import Experiment
from residua.experiments.results import Results, gather, read_results, require_whole
from residua.experiments.table import experiment_markdown
from residua.files.names import command

INTRODUCTION = """# Results

What was published, and what came out when it was repeated: each table by the first command below it, each
of its lines that was run by one of the others, described in [experiments.md](experiments.md). This page is
drawn from the JSON in `docs/results/` by `python tools/results_page.py`; what was not run says so. An
error is the share of the test pictures that the best epoch's network gets wrong, where validation chose the
epoch. Of several seeds the interval is that of their mean (Student's t); of one seed it is that of the test
pictures (Wilson): it says nothing of others.
The time of training steps is the mean of the runs; reading the data, validation, and computing the features
of a frozen base, which is done once before the steps, are not in it. A run's time includes pauses in which
the machine, or the run on it, stood still. Processor time is that of all cores together: where a machine
had other work at the same time, it says more than the time that passed.
"""
MOST_OTHERS = 4  # variants of which nothing was published, in the README's line
BEGIN, END = "<!-- results: begin (tools/results_page.py) -->", "<!-- results: end -->"


def kept_results(folder: Path) -> dict[str, Results]:
    """The results of every experiment, in the order of their names; of one that was not run, empty ones.

    Raises RunError for a file that belongs to no experiment, or is not of its present variants.
    """
    names = experiment_names()
    for path in sorted(folder.glob("*.json")):
        if path.stem not in names:
            raise RunError(f"{path} is of no experiment: remove it")
    return {name: _kept(find_experiment(name), folder / f"{name}.json") for name in names}


def _kept(experiment: Experiment, path: Path) -> Results:
    none = gather(experiment, {}, {}, quick=False)
    if not path.exists():
        return none
    results = read_results(path)
    require_whole(results, experiment.name, str(path))
    pairs = list(zip(none["variants"], results["variants"], strict=False))
    for ours, theirs in pairs:
        if any(ours[key] != theirs[key] for key in ("name", "published", "source")):
            raise RunError(f"{path} is of other variants than the experiment: run it again")
    if len(none["variants"]) != len(results["variants"]):
        raise RunError(f"{path} is of other variants than the experiment: run it again")
    # Words may be mended after the fact, and say why something falls short, and more seeds be asked for;
    # figures may not.
    words = [theirs | {key: ours[key] for key in ("title", "note", "seeds")} for ours, theirs in pairs]
    for row in words:
        if row.get("missing") == "not chosen":  # which says something of a command, not of the experiment
            del row["missing"]
    return results | {"title": none["title"], "about": none["about"], "variants": words}


def results_page(folder: Path) -> str:
    """The page of all results in Markdown. Raises RunError."""
    parts = [INTRODUCTION]
    for name, results in kept_results(folder).items():
        text = experiment_markdown(results, commands=False)
        lines = "\n".join([command("experiment", name), *_line_commands(name, results)])
        parts.append(f"{text}\n```sh\n{lines}\n```\n")
        for _, kept, words in shown_pictures(name, results):
            if (folder / kept).exists():
                parts.append(f"![{words}]({folder.name}/{kept})\n")
    return "\n".join(parts)


def shown_pictures(name: str, results: Results) -> list[tuple[str, str, str]]:
    """Pictures that the page shows: their paths in results, those where they are kept, words."""
    experiment, found = find_experiment(name), list[tuple[str, str, str]]()
    for look in experiment.looks:
        words = f"{look.verb}: {experiment.variant(look.of).title}"
        for picture in results["pictures"]:
            folder, _, file = picture.rpartition("/")
            if folder == f"{look.verb}-{look.of}" and any(fnmatch(file, shown) for shown in look.shown):
                found.append((picture, f"{name}/{folder}-{file}", words))
    for group in experiment.curves:
        if group.file in results["pictures"]:
            found.append((group.file, f"{name}/{group.file}", f"Learning curves: {group.title}"))
    return found


def _line_commands(name: str, results: Results) -> list[str]:
    """A command for each line of the table that was run, with the seeds that stand in it."""
    seeds = {
        row["name"]: [str(run["seed"]) for run in row["runs"] if run["state"] == "finished"]
        for row in results["variants"]
    }
    return [
        command(
            "experiment", name, "--variants", *variant.members, variant.name, "--seeds", *seeds[variant.name]
        )
        for variant in find_experiment(name).variants
        if seeds[variant.name]
    ]


def summary_table(folder: Path) -> str:
    """A line for each experiment: what was published of it, and what came out; one for those not run."""
    rows, waiting = ["| experiment | published error, and here |", "|---|---|"], list[str]()
    for name, results in kept_results(folder).items():
        words = _summary(results["variants"])
        if words:
            rows.append(f"| `{name}` | {words} |")
        else:
            waiting.append(f"`{name}`")
    if waiting:
        rows.append(f"| {', '.join(waiting)} | not run yet |")
    return "\n".join(rows)


def _summary(rows: list[Results]) -> str:
    """The lines of an experiment in one: those with a published figure, and the others or their best."""
    done = [row for row in rows if "mean" in row]
    others = [row for row in done if row["published"] is None]
    more = ""
    if len(others) > MOST_OTHERS:
        more = f" (the best of {len(others)} others)"
        others = [min(others, key=lambda row: float(row["mean"]))]
    told = [row for row in done if row["published"] is not None] + others
    parts = [f"{row['title']} {_published(row)}**{row['mean']:.2f} %**" for row in told]
    left = len(rows) - len(done)
    return "; ".join(parts) + more + (f"; {left} not run" if done and left else "")


def _published(row: Results) -> str:
    return "" if row["published"] is None else f"{row['published']:g} %, "


def with_summary(text: str, folder: Path) -> str:
    """A document with the table of all experiments between its two marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{summary_table(folder)}\n\n{END}{rest.split(END)[1]}"
