"""Whether kept results still stand: the models that are at hand answer their test pictures once more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from residua import api
from residua.config import ExperimentConfig
from residua.errors import ConfigError, DataError, near
from residua.experiments.catalogue import experiment_names
from residua.experiments.ensembles import MODEL as JOINED
from residua.experiments.results import FILE, Results, read_results
from residua.experiments.run import FOLDER, QUICK
from residua.experiments.statistics import spread
from residua.experiments.training_runs import Say
from residua.experiments.untrained import BEST
from residua.models.model_file import load_model
from residua.training.run_folder import read_run

Standing = Literal["stands", "does not stand", "not at hand"]

# Where the model of a run's command lies, perhaps with another experiment, and what it is shown.
_TOLD = re.compile(rf"(?:--run|evaluate) {FOLDER}/(?:{QUICK}/)?(\S+)(?: --views (\w+))?")


@dataclass(frozen=True)
class Verdict:
    """What became of a line of results. what: experiment, variant and seed. words: why, in one line."""

    what: str
    standing: Standing
    words: str


def find_results(names: Sequence[str], output: Path) -> list[Path]:
    """Files of results: named themselves, in folders that are named, or of experiments in `output`.

    Without names all that `output` holds. Raises ConfigError where there are none.
    """
    found = [path for name in names or [str(output)] for path in _files(name, output)]
    if not found:
        raise ConfigError(
            f"{output} holds no results of experiments: name a file of results, or a folder of some"
        )
    return list(dict.fromkeys(found))


def _files(name: str, output: Path) -> list[Path]:
    path, kept = Path(name).expanduser(), output / name / FILE
    if name in experiment_names() and not path.exists() and kept.exists():
        return [kept]
    if path.is_file():
        return [path]
    every = [path / FILE, *sorted(path.glob(f"*/{FILE}")), *sorted(path.glob("*.json"))]
    found = [file for file in every if file.is_file()]
    if not found and path != output:
        raise ConfigError(f"there are no results of {name!r}.{near(name, experiment_names())}")
    return found


def verify(path: Path, config: ExperimentConfig, say: Say) -> Iterator[Verdict]:
    """A verdict for every run of a file of results, and for every mean that its runs do not give.

    The runs' folders are looked for where the file is one of an experiment's folder, or in the folder that
    the options name. Raises RunError where the file holds no results.
    """
    results = read_results(path)
    kept = Path(config.output or FOLDER)
    output = path.parent.parent if path.name == FILE else kept / QUICK if results["quick"] else kept
    for row in results["variants"]:
        if config.variants and row["name"] not in config.variants:
            continue
        finished = [run for run in row["runs"] if "error" in run]
        for run in finished:
            if not config.seeds or run["seed"] in config.seeds:
                yield _look(results, row, run, output, config, say)
        errors = [float(run["error"]) for run in finished]
        if errors and abs(spread(errors).mean - float(row["mean"])) > 1e-3:
            words = f"its runs have a mean of {spread(errors).mean:.2f} %, not of {row['mean']:.2f} %"
            yield Verdict(f"{results['experiment']}, {row['name']}", "does not stand", words)


def _look(
    results: Results, row: Results, run: dict[str, Any], output: Path, config: ExperimentConfig, say: Say
) -> Verdict:
    name = results["experiment"]
    what = f"{name}, {row['name']}, seed {run['seed']}"
    told = _TOLD.search(run["command"])
    folder = output / (told[1] if told is not None else f"{name}/{row['name']}/seed-{run['seed']}")
    model = next((folder / file for file in (BEST, JOINED) if (folder / file).exists()), None)
    if model is None:
        return Verdict(what, "not at hand", f"no run in {folder}; repeat it with: {run['command']}")
    say(f"{what}: {run['pictures']:,} test pictures")
    engine = config.engine or (read_run(folder).run.engine if (folder / "run.toml").exists() else "auto")
    try:
        options: dict[str, Any] = {"engine": engine, "threads": config.threads, "data_dir": config.data_dir}
        if told is not None and told[2]:
            options["views"] = told[2]
        test = api.evaluate(load_model(model), split="test", say=say, **options)  # which writes nothing
    except DataError as error:
        return Verdict(what, "not at hand", str(error))
    wrong = test.pictures - test.correct
    now, kept = f"{wrong:,} of {test.pictures:,} wrong", f"{run['wrong']:,} of {run['pictures']:,}"
    if (wrong, test.pictures) == (run["wrong"], run["pictures"]):
        return Verdict(what, "stands", now)
    return Verdict(
        what, "does not stand", f"{now} now, {kept} kept; what was kept is repeated by: {run['command']}"
    )
