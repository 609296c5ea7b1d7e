"""Goes through experiments: trains what is missing, looks at it, and writes down what came of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from residua.config import ExperimentConfig
from residua.data import DataSet, open_dataset
from residua.errors import DataError, ModelFileError, ResiduaError
from residua.experiments.catalogue import find_experiment
from residua.experiments.curves import draw_curves
from residua.experiments.ensembles import join_runs
from residua.experiments.figure import results_figure
from residua.experiments.folders import PlannedRun, State, run_state
from residua.experiments.looks import check_look, take_look
from residua.experiments.published_weights import import_command, import_run
from residua.experiments.recipe import Experiment, Look, Variant
from residua.experiments.results import Results, gather, write_results
from residua.experiments.table import experiment_markdown
from residua.experiments.training_runs import RunResult, Say, read_result, train_command, train_run
from residua.files.durable import write_durably
from residua.files.names import command
from residua.files.one_writer import one_writer
from residua.insight.shared.plotting import save_figure

FOLDER = "experiments-out"
ELSEWHERE = "choose other --variants, --seeds or another --output"
QUICK = "quick"  # the folder of quick runs, apart from all that is an experiment


class ExperimentRun:
    """An experiment under way: what of it is done, and why what is not done is not."""

    def __init__(self, experiment: Experiment, config: ExperimentConfig, say: Say) -> None:
        for look in experiment.looks:
            check_look(look)
        self.experiment, self.config, self.say = experiment, config, say
        output = Path(config.output or FOLDER)
        self.output = output / QUICK if config.quick else output
        self.named = f"{FOLDER}/{QUICK}" if config.quick else FOLDER  # so commands call it
        self.folder = self.output / experiment.name
        self.chosen = chosen_variants(experiment, config)
        self.runs: dict[str, list[RunResult]] = {}  # those that were chosen
        self.others: dict[str, list[RunResult]] = {}  # and all else that is done
        self.missing: dict[str, str] = {}
        self.absent: list[str] = []  # where to get what is not at hand
        self._data: dict[str, DataSet | None] = {}
        self._told: set[str] = set()

    def run(self) -> Results:
        """Do what is not done yet. Raises ResiduaError; for a folder of other runs before any training."""
        plans = {v.name: self._plan(v, chosen_seeds(v, self.config)) for v in self.chosen}
        states = {name: [(run, self._state(run)) for run in runs] for name, runs in plans.items()}
        self._read_others()
        for name, every in states.items():  # what is done is told, whatever becomes of the rest
            self.runs[name] = [read_result(run, state) for run, state in every]
        for name, every in states.items():
            for place, (run, state) in enumerate(every):
                if state in ("absent", "unfinished") and not self._train(name, run):
                    break
                self.runs[name][place] = read_result(run, self._state(run))
                self._write()
        for variant in self.experiment.variants:
            make = self._join if variant.members else self._import if variant.weights else None
            if make is None:
                continue
            if variant in self.chosen or any((self.folder / variant.name).glob("seed-*/test.json")):
                make(variant)
            else:
                self.missing[variant.name] = "not chosen"
        return self._write(whole=True)

    # ------------------------------------------------------------------ what is to be done
    def _plan(self, variant: Variant, seeds: list[int]) -> list[PlannedRun]:
        if variant.members or variant.weights:
            return []
        experiment, trained, folder = self.experiment, variant, self._folder_of(variant)
        if variant.uses:
            other, _, name = variant.uses.partition("/")
            experiment = find_experiment(other)
            trained = experiment.variant(name)
            tests = [folder / f"seed-{seed}" / "test.json" for seed in variant.seeds]
            if not self.config.quick and not any(map(Path.exists, tests)):
                self.missing[variant.name] = f"`{command('experiment', other)}` comes first"
                return []
        options = experiment.options | trained.options
        if self.config.quick:
            options |= experiment.quick | trained.quick
        told = f"{self.named}/{folder.relative_to(self.output).as_posix()}"
        chosen = dict(options)
        for name in ("engine", "threads", "data_dir"):
            if (value := getattr(self.config, name)) is not None:
                options |= {name: value}
        return [
            PlannedRun(
                folder / f"seed-{seed}",
                seed,
                find_weights(options, self.config.data_dir),
                train_command(chosen | {"seed": seed}, f"{told}/seed-{seed}"),
            )
            for seed in seeds
        ]

    def _folder_of(self, variant: Variant) -> Path:
        """Where the runs of a variant lie: here, or with the experiment that trains them."""
        return self.output / variant.uses if variant.uses else self.folder / variant.name

    def _read_others(self) -> None:
        """Runs of variants and seeds that were not chosen now, and are done; each is read once."""
        for variant in self.experiment.variants:
            if variant.members or variant.weights:
                continue
            asked = chosen_seeds(variant, self.config) if variant in self.chosen else []
            if not asked:
                self.missing[variant.name] = "not chosen"
            read = {result.seed for result in self.others.get(variant.name, ())}
            for run in self._plan(variant, [seed for seed in variant.seeds if seed not in {*asked, *read}]):
                if (run.folder / "test.json").exists():
                    result = read_result(run, self._state(run))
                    self.others.setdefault(variant.name, []).append(result)

    def _known(self, name: str) -> list[RunResult]:
        """What is known of a variant, by seed."""
        every = [*self.runs.get(name, ()), *self.others.get(name, ())]
        return sorted(every, key=lambda result: result.seed)

    def _state(self, run: PlannedRun) -> State:
        return run_state(run, self._open(run))

    def _open(self, run: PlannedRun) -> DataSet | None:
        """The data of a run; None where they are not at hand."""
        data = run.config.data
        key = f"{data}{run.seed}"
        if key not in self._data:
            try:
                self._data[key] = open_dataset(data, run.seed, say=lambda line: None)
            except DataError as error:
                self._data[key] = None
                self._absent(error)
        return self._data[key]

    def _absent(self, error: ResiduaError) -> None:
        where = self.experiment.where
        line = f"{self.experiment.name}: {error}" + (f" {where}" if where else "")
        if line not in self._told:
            self._told.add(line)
            self.absent.append(line)
            self.say(line)

    # ------------------------------------------------------------------ doing it
    def _train(self, name: str, run: PlannedRun) -> bool:
        """Whether a run could be trained: what it needs may not be at hand."""
        if self._open(run) is None:
            self.missing[name] = "the data are not at hand"
            return False
        self.say(f"{self.experiment.name}: {name}, seed {run.seed}")
        try:
            with one_writer(run.folder, ELSEWHERE):
                train_run(run, self._state(run), self.say)  # another process may have done it meanwhile
        except ModelFileError as error:
            self.missing[name] = "the published weights are not at hand"
            self._absent(error)
            return False
        return True

    def _join(self, variant: Variant) -> None:
        """A joined model for each seed that all members have."""
        done = [{run.seed for run in self._known(m) if run.error is not None} for m in variant.members]
        asked = chosen_seeds(variant, self.config) if variant in self.chosen else []
        kept = [s for s in variant.seeds if (self.folder / variant.name / f"seed-{s}" / "test.json").exists()]
        seeds = [seed for seed in sorted({*asked, *kept}) if all(seed in part for part in done)]
        if not seeds:
            self.missing[variant.name] = "its members come first"
        for seed in seeds:
            members = [self.folder / member / f"seed-{seed}" for member in variant.members]
            folder = self.folder / variant.name / f"seed-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            told = f"{self.named}/{self.experiment.name}"
            runs = [f"{told}/{member}/seed-{seed}" for member in variant.members]
            if variant.views:
                line = command("evaluate", *runs, "--views", variant.views)
            else:
                line = command("ensemble", f"{told}/{variant.name}.safetensors", *runs)
            engine, views = self.config.engine or "auto", variant.views
            result = join_runs(folder, seed, members, engine, self.say, views)
            result = replace(result, command=line)
            self.runs.setdefault(variant.name, []).append(result)

    def _import(self, variant: Variant) -> None:
        """The model of published weights, which has no seed: the variant's first stands for it."""
        seed, told = variant.seeds[0], f"{self.named}/{self.experiment.name}/{variant.name}"
        folder = self.folder / variant.name / f"seed-{seed}"
        weights = find_weights({"weights": variant.weights}, self.config.data_dir)["weights"]
        try:
            result = import_run(
                folder, seed, weights, variant.imports, self.config.engine or "auto", self.say
            )
        except (ModelFileError, DataError) as error:
            what = "published weights" if isinstance(error, ModelFileError) else "data"
            self.missing[variant.name] = f"the {what} are not at hand"
            self._absent(error)
            return
        line = import_command(variant.weights, variant.imports, f"{told}/seed-{seed}")
        self.runs[variant.name] = [replace(result, command=line)]

    def _look(self, look: Look) -> list[str]:
        """The pictures of a look, drawn now or kept from before; where there is no run to look at, none."""
        done = [run for run in self._known(look.of) if run.error is not None]
        if not done:
            return []
        run = self._folder_of(self.experiment.variant(look.of)) / f"seed-{done[0].seed}"
        folder = self.folder / f"{look.verb}-{look.of}"
        kept = folder / "pictures.json"
        if kept.exists() and kept.stat().st_mtime > (run / "test.json").stat().st_mtime:
            names: list[str] = json.loads(kept.read_text(encoding="utf-8"))
            return names
        self.say(f"{self.experiment.name}: {look.verb} {look.of}")
        try:
            drawn = take_look(look, run, folder, self.config.quick, self.config.engine or "auto", self.say)
        except ResiduaError as error:  # one picture less is no reason to lose the others
            self.say(f"Not drawn: {error}")
            return []
        names = [path.relative_to(self.folder).as_posix() for path in drawn]
        write_durably(kept, json.dumps(names).encode())
        return names

    def _curves(self) -> list[str]:
        """Learning curves of each variant's first run, where they are this experiment's own."""
        firsts = {
            variant.name: self._folder_of(variant) / f"seed-{done[0].seed}"
            for variant in self.experiment.variants
            if not (variant.members or variant.uses)
            and (done := [run for run in self._known(variant.name) if run.epochs])
        }
        return draw_curves(self.experiment, firsts, self.folder, self.say)

    def _write(self, whole: bool = False) -> Results:
        """What is known so far, and in the end the pictures too."""
        if whole:
            self._read_others()  # which another process may have trained meanwhile
        known = {variant.name: self._known(variant.name) for variant in self.experiment.variants}
        results = gather(self.experiment, known, self.missing, self.config.quick)
        if whole:
            for look in self.experiment.looks:
                results["pictures"] += self._look(look)
            results["pictures"] += self._curves()
            if (figure := results_figure(results)) is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                save_figure(figure, self.folder / "results.png")
                results["pictures"].append("results.png")
        write_results(self.folder, results)
        write_durably(self.folder / "results.md", experiment_markdown(results).encode())
        return results


def find_weights(options: dict[str, Any], data_dir: str | None) -> dict[str, Any]:
    """The options with the paths of published weights, which may lie in a data folder."""
    from residua.data.sources.locations import data_folders

    found = dict(options)
    for name in ("from_", "weights"):
        value = found.get(name)
        if isinstance(value, str) and not Path(value).exists():
            places = [root / value for root in data_folders(data_dir)]
            found[name] = str(next((place for place in places if place.exists()), value))
    return found


def chosen_variants(experiment: Experiment, config: ExperimentConfig) -> list[Variant]:
    """The variants that are run now. Raises ConfigError for an unknown one."""
    if config.variants:
        return [experiment.variant(name) for name in dict.fromkeys(config.variants)]
    return [v for v in experiment.variants if not (config.quick and v.skip_quick)]


def chosen_seeds(variant: Variant, config: ExperimentConfig) -> list[int]:
    """The seeds that are run now: of a quick run the first alone."""
    return list(config.seeds) or (variant.seeds[:1] if config.quick else variant.seeds)
