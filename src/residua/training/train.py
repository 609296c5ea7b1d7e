"""Training on a data set or a folder of pictures: open the data, start or resume, train."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from residua.config import DataOptions, TrainConfig
from residua.data import DataSet, open_dataset
from residua.data.pictures.readers import ALONE, Readers
from residua.data.pictures.spread import is_spread
from residua.errors import RunError
from residua.files.json_lines import truncate
from residua.files.one_writer import one_writer
from residua.models.model_file import save_model
from residua.training.checkpoint import Position, read_checkpoint, read_fingerprint
from residua.training.dividing import divided
from residua.training.feature_cache import remove_feature_files
from residua.training.layer_statistics import FILE as STATISTICS
from residua.training.loop import Training
from residua.training.optimizers import make_optimizer
from residua.training.option_defaults import resolve_options
from residua.training.places import data_places, find_labels, first_file, keep_places, read_places
from residua.training.pretrained import (
    COPY,
    Pretrained,
    check_pictures,
    load_pretrained,
    reading_options,
)
from residua.training.progress import Reporter
from residua.training.ranks.agreement import (
    by_first,
    require_base,
    shared_checkpoint,
    shared_config,
    shared_run,
)
from residua.training.ranks.opening import find_world
from residua.training.ranks.reading import open_together
from residua.training.run_folder import create_run, read_run, refuse_used_folder, resume_command
from residua.training.step import start_state
from residua.training.task import Task
from residua.training.task_setup import TrainingData, build_task, remember_pictures

IMBALANCE = 3.0  # pictures of the largest class to those of the smallest, above which we say so

AfterEpoch = Callable[[Path], object]


@dataclass(frozen=True)
class Resumption:
    """A run to go on with, and what may have changed since: where its data are, and the threads.

    config: the run's options, where they have been read already.
    """

    run: Path
    data: str | None = None
    data_dir: str | None = None
    labels: str | None = None
    threads: int | None = None
    config: TrainConfig | None = None


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, its config, and the file of its best model."""

    run: Path
    config: TrainConfig
    best: Path
    best_epoch: int
    validation_accuracy: float | None


def start_training(config: TrainConfig, reporter: Reporter, after_epoch: AfterEpoch) -> Trained:
    """Train a new network in a new run folder."""
    world = find_world()
    if world is not None:
        world.stall_seconds = config.run.stall
    by_first(world, lambda: refuse_used_folder(config), None)  # before minutes of reading pictures
    with ExitStack() as held:
        opened = open_together(world, config.data.data, partial(open_task, config, reporter), held)
        task, data, pretrained = opened
        task = divided(task, world)
        run = shared_run(world, lambda: _create(task, data, pretrained, held))
        reporter.say(f"Run folder: {run}")
        return _train(replace(task, run=run, after_epoch=after_epoch), resume=False)


def _create(task: Task, data: DataSet, pretrained: Pretrained | None, held: ExitStack) -> Path:
    """A new run folder, with what training begins with, which nobody else writes into until `held` ends."""
    run = create_run(task.config, f"{Path(data.name).name or 'pictures'}-{task.model.name}", held)
    if pretrained is not None:
        save_model(run / COPY, pretrained.model)
    return run


def open_task(
    config: TrainConfig, reporter: Reporter, readers: Readers = ALONE
) -> tuple[Task, DataSet, Pretrained | None]:
    """All that a new run reads, before it has a folder. Raises ResiduaError where it does not fit."""
    pretrained = load_pretrained(config)
    data = _open_data(config, pretrained, reporter, readers)
    return _read_task(resolve_options(config, data, pretrained), data, reporter, pretrained), data, pretrained


def resume_training(resumption: Path | Resumption, reporter: Reporter, after_epoch: AfterEpoch) -> Trained:
    """Go on with a run from its newest whole checkpoint, to the same bytes as if it had never stopped.

    Its data are looked for where they were, or where the `Resumption` says that they are now; they must
    hold what they held. Raises ResiduaError.
    """
    again = resumption if isinstance(resumption, Resumption) else Resumption(resumption)
    world = find_world()
    config = again.config or shared_config(world, lambda: read_run(again.run))
    config = replace(config, run=replace(config.run, threads=again.threads or config.run.threads))

    def open_again(readers: Readers) -> tuple[Task, DataOptions]:
        if config.transfer.from_ or config.transfer.weights:
            require_base(world, again.run / COPY)
        pretrained = load_pretrained(config, again.run)
        data, here = _find_data(config, again, pretrained, reporter, readers)
        return _read_task(config, data, reporter, pretrained), here

    if world is not None:
        world.stall_seconds = config.run.stall
    with ExitStack() as held:
        by_first(world, lambda: held.enter_context(one_writer(again.run, "stop it first")), None)
        task, here = open_together(world, again.data or config.data.data, open_again, held)
        task = replace(divided(task, world), run=again.run, after_epoch=after_epoch)
        return _train(task, resume=True, here=replace(config, data=here))


def _find_data(
    config: TrainConfig,
    again: Resumption,
    pretrained: Pretrained | None,
    reporter: Reporter,
    readers: Readers,
) -> tuple[DataSet, DataOptions]:
    """The data that a run began with, and the options by which they are found now."""
    typed, places = config.data, read_places(again.run)
    data_dir = again.data_dir
    if data_dir is None and typed.data_dir is not None:
        data_dir = first_file(places.of("data_dir", typed.data_dir))
    if again.data is not None:
        found = [again.data]
    else:
        found = data_places(typed.data, places.of("data", typed.data), data_dir)
    known = read_fingerprint(again.run) if len(found) > 1 else None
    for place in found:
        labels = again.labels
        if labels is None and typed.labels is not None:
            labels = find_labels(typed, places, place)
        here = replace(typed, data=place, data_dir=data_dir, labels=labels)
        # Which of several places it is each process finds out by itself: what others know of is their affair.
        if (
            place == found[-1]
            or _open_data(replace(config, data=here), pretrained, reporter, ALONE).fingerprint("train")
            == known
        ):
            break
    return _open_data(replace(config, data=here), pretrained, reporter, readers), here


def _open_data(
    config: TrainConfig, pretrained: Pretrained | None, reporter: Reporter, readers: Readers
) -> DataSet:
    options, channels = reading_options(config.data, pretrained)
    data = open_dataset(options, config.run.seed, say=reporter.say, channels=channels, readers=readers)
    if pretrained is not None:
        check_pictures(data, pretrained)
    return data


def _read_task(config: TrainConfig, data: DataSet, reporter: Reporter, pretrained: Pretrained | None) -> Task:
    options = config.data
    train, validation = data.read("train"), data.read("validation")
    reporter.say(
        f"{data.name}: {len(train):,} training and {len(validation):,} validation pictures, "
        f"{len(data.classes)} classes, {data.height}x{data.width}x{data.channels}"
    )
    counts = data.counts("train")
    most, least = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    if counts[most] > IMBALANCE * counts[least] and not options.balance:
        reporter.say(
            f"The classes differ in size: {most} has {counts[most]:,} pictures, {least} {counts[least]:,}; "
            "--balance lets them count the same"
        )
    about = {
        "data": options.data,
        "kind": data.card.kind,
        "size": options.size,
        "validation": options.validation,
        "test": options.test,
        "labels": options.labels,
        "groups": options.groups,
        "region": options.region,
    }
    # Said only where they were asked for.
    about |= {"copies": options.copies} if options.copies != "kept" else {}
    about |= {"limit": options.limit} if options.limit is not None else {}
    content = TrainingData(data.classes, train, validation, about, data.fingerprint("train"))
    return build_task(config, content, reporter, pretrained)


def _remembers(task: Task) -> bool:
    """Whether this process looks at what the model will have seen: who writes it, or who alone has a part."""
    splits = [batches.pictures.images for batches in (task.train, task.validation) if batches is not None]
    return task.writes or any(map(is_spread, splits))


def _train(task: Task, *, resume: bool, here: TrainConfig | None = None) -> Trained:
    config, run = task.config, task.run
    world = find_world()
    if world is not None:
        world.goes_on_with(resume_command(run))
    state = start_state(
        task.model.variables,
        make_optimizer(config.optimizer),
        config.optimizer.average,
        bool(config.optimizer.lookahead),
    )
    position = Position()
    if resume:
        notes: list[str] = []
        state, position, fingerprint = shared_checkpoint(
            world, state, lambda: read_checkpoint(run, state, notes)
        )
        for note in notes:
            task.reporter.say(f"Passed over a checkpoint: {note}")
        if fingerprint != task.fingerprint:
            raise RunError(
                f"the training pictures of {(here or config).data.data} are not those that {run} began with: "
                "bring them back, name where they are with --data, or start a new run"
            )
        if task.writes:
            keep_places(here or config, run)
            truncate(run / "log.jsonl", position.log_bytes)
            truncate(run / STATISTICS, position.statistics_bytes)
        task.reporter.say(f"Resuming {run} after step {position.step}")
    try:
        Training(remember_pictures(task) if _remembers(task) else task, state, position).run()
        if task.writes:
            remove_feature_files(run)
    finally:
        task.reporter.close()
    accuracy = position.best_accuracy if task.validation is not None else None
    return Trained(run, config, run / "best.safetensors", position.best_epoch, accuracy)
