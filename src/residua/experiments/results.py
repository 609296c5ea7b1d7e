"""What came of an experiment, gathered into results.json: everything that its table and the page show."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from residua.errors import RunError
from residua.experiments.recipe import Claim, Experiment, Variant
from residua.experiments.statistics import difference, spread
from residua.experiments.training_runs import RunResult
from residua.files.durable import write_durably
from residua.files.names import command
from residua.files.regular import require_file

FORMAT = 1
FILE = "results.json"
Results = dict[str, Any]


def gather(
    experiment: Experiment,
    runs: Mapping[str, Sequence[RunResult]],
    missing: Mapping[str, str],
    quick: bool,
) -> Results:
    """The results of an experiment.

    runs: of each variant, those that were begun. missing: why a variant was not run, by its name.
    """
    told = {name: [run.to_dict() for run in every if run.state != "not run"] for name, every in runs.items()}
    return results_of(experiment, told, missing, quick)


def results_of(
    experiment: Experiment, runs: Mapping[str, Sequence[Results]], missing: Mapping[str, str], quick: bool
) -> Results:
    """The results of an experiment, of runs as they are written down; without pictures."""
    variants = [replace(v, seeds=v.seeds[:1]) if quick else v for v in experiment.variants]
    rows = [_variant(variant, runs.get(variant.name, ()), missing) for variant in variants]
    by_name = {row["name"]: row for row in rows}
    return {
        "format": FORMAT,
        "experiment": experiment.name,
        "title": experiment.title,
        "about": experiment.about,
        "quick": quick,
        "variants": rows,
        "claims": [_claim(claim, by_name) for claim in experiment.claims],
        "pictures": [],
    }


def _variant(variant: Variant, runs: Sequence[Results], missing: Mapping[str, str]) -> Results:
    """A variant's row: errors of the runs that came to an end, and what they come to together."""
    row: Results = {
        "name": variant.name,
        "title": variant.title or variant.name,
        "published": variant.published,
        "source": variant.source,
        "note": variant.note,
        "seeds": list(variant.seeds),
        "runs": list(runs),
    }
    finished = [run for run in runs if "error" in run]
    errors = [float(run["error"]) for run in finished]
    if errors:
        found = spread(errors)
        single = finished[0].get("interval")
        interval = found.interval or single
        row |= {
            "mean": round(found.mean, 4),
            "deviation": None if found.deviation is None else round(found.deviation, 4),
            "interval": None if interval is None else [round(side, 4) for side in interval],
            "interval_of": "seeds" if found.interval else "test pictures",
        }
    elif variant.name in missing:
        row["missing"] = missing[variant.name]
    return row


def _claim(claim: Claim, rows: Mapping[str, Results]) -> Results:
    """What became of a published comparison: held, not held, undecided or not run."""
    result: Results = {"text": claim.text, "less": claim.less, "than": claim.than}
    sides = [[run for run in rows[name]["runs"] if "error" in run] for name in (claim.less, claim.than)]
    diverged = [
        any(run["state"] == "diverged" for run in rows[name]["runs"]) for name in (claim.less, claim.than)
    ]
    if not all(sides):
        if sides[0] and diverged[1]:
            return result | {"verdict": "held", "why": f"{claim.than} diverged"}
        return result | {"verdict": "not run"}
    errors = [[float(run["error"]) for run in side] for side in sides]
    gap, interval = difference(*errors)
    of = "seeds"
    if interval is None:  # one seed, or equal ones, tell nothing of seeds: by the test pictures alone
        of = "test pictures"
        share = [sum(side) / len(side) / 100 for side in errors]
        pictures = [side[0]["pictures"] for side in sides]
        half = 196 * math.sqrt(sum(p * (1 - p) / n for p, n in zip(share, pictures, strict=True)))
        interval = gap - half, gap + half
    verdict = "held" if interval[0] > 0 else "not held" if interval[1] < 0 else "undecided"
    return result | {
        "difference": round(gap, 4),
        "interval": [round(side, 4) for side in interval],
        "interval_of": of,
        "verdict": verdict,
    }


def write_results(folder: Path, results: Results, name: str = FILE) -> Path:
    """results.json in an experiment's folder, or a file of another name. Raises RunError."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(path, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def read_results(path: Path) -> Results:
    """What `write_results` wrote. Raises RunError where it is no such file, or a newer residua's."""
    require_file(path, RunError)
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read {path}: {error}") from None
    if not isinstance(results, dict) or "variants" not in results:
        raise RunError(f"{path} holds no results of an experiment: make it with `residua experiment`")
    if results.get("format") != FORMAT:
        raise RunError(f"{path} is of format {results.get('format')!r:.20}; this residua reads {FORMAT}")
    return results


def require_whole(results: Results, experiment: str, where: str) -> None:
    """RunError where results are of a quick run, or of another experiment than that; `where` they lie."""
    if results["quick"]:
        raise RunError(f"{where}: a quick run: make a whole one with {command('experiment', experiment)}")
    if results["experiment"] != experiment:
        raise RunError(f"{where}: results of {results['experiment']}, not of {experiment}")
