"""The trials of a sweep, in Optuna's journal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

from residua.errors import RunError
from residua.sweeps.folder import Folder
from residua.sweeps.halving import Brackets, Halving
from residua.sweeps.owners import Turn, Watch, turns_without_progress
from residua.sweeps.sampler import PlanSampler, suggest
from residua.training.checkpoint import checkpoints

NAME = "sweep"
PROBLEM, ENDED, LOSS = "problem", "ended", "validation_loss"  # what is kept of a trial beside its accuracy
MOST_TURNS = 10  # in a row that came no checkpoint further: it is the trial that kills its workers


@dataclass(frozen=True)
class OpenTrial:
    """A trial that this process may train: no other does."""

    folder: Folder
    study: Study
    turn: Turn
    trial: Trial
    number: int

    @property
    def run(self) -> Path:
        """Its run folder."""
        return self.folder.run(self.number)

    def report(self, epoch: int, accuracy: float) -> None:
        """Keep the accuracy after an epoch, unless a worker before this one has."""
        if epoch not in self.study.frozen(self.number).intermediate_values:
            self.trial.report(accuracy, epoch)

    def ends_early(self, epoch: int, epochs: int) -> bool:
        """Whether the pruner ends the trial after this epoch, of so many."""
        halving = self._halving(epochs)
        if halving is None or epoch >= epochs:
            return False
        search, pruner = self.folder.plan.search, self.folder.plan.search.pruner
        others = [
            trial.intermediate_values
            for trial in self.study.trials()
            if trial.number != self.number
            and (pruner == "halving" or _brackets(search, epochs).bracket(trial.number) == halving.late)
        ]
        return halving.ends(self.study.frozen(self.number).intermediate_values, others, epoch)

    def _halving(self, epochs: int) -> Halving | None:
        search = self.folder.plan.search
        if search.pruner == "none":
            return None
        if search.pruner == "halving":
            return Halving(search.shortest, search.factor)
        return _brackets(search, epochs).halving(self.number)

    def finish(self, accuracy: float, loss: float) -> None:
        """It is done: its best validation accuracy, and the loss there."""
        self.trial.set_user_attr(LOSS, loss)
        self._tell(TrialState.COMPLETE, accuracy)

    def prune(self, why: str) -> None:
        """It ended early: by the pruner, or because it diverged."""
        self.trial.set_user_attr(ENDED, why)
        self._tell(TrialState.PRUNED)

    def fail(self, problem: str) -> None:
        """It cannot be trained."""
        self.trial.set_user_attr(PROBLEM, problem)
        self._tell(TrialState.FAIL)

    def _tell(self, state: TrialState, value: float | None = None) -> None:
        self.study.optuna.tell(self.number, value, state=state)


def _brackets(search: Any, epochs: int) -> Brackets:
    return Brackets(f"{NAME} {search.seed}", epochs, search.shortest, search.factor)


class Study:
    """A sweep's trials, as this process sees them."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        # Optuna's other lock, a link to the journal, never lets go of a dead holder's where the path is
        # relative, or another one on the next machine.
        lock = JournalFileOpenLock(str(folder.journal))
        _mend(folder.journal, lock)
        try:
            storage = JournalStorage(JournalFileBackend(str(folder.journal), lock_obj=lock))
            self.optuna = optuna.create_study(
                study_name=NAME,
                storage=storage,
                sampler=PlanSampler(folder.plan),
                pruner=optuna.pruners.NopPruner(),
                direction="maximize",
                load_if_exists=True,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{folder.journal} cannot be read: {error}; take it from a backup, or choose another "
                "folder with --output"
            ) from None
        self.watch = Watch()
        self.seconds: dict[int, float | None] = {}  # of the trials that are over, as far as somebody asked

    def trials(self) -> list[FrozenTrial]:
        """All trials, as the journal has them now; to read only."""
        trials: list[FrozenTrial] = self.optuna.get_trials(deepcopy=False)
        return trials[: self.folder.plan.trials]

    def frozen(self, number: int) -> FrozenTrial:
        """One of them."""
        return self.trials()[number]

    def unfinished(self) -> list[FrozenTrial]:
        """Those that somebody trains, or trained and left."""
        return [trial for trial in self.trials() if not trial.state.is_finished()]

    def next_trial(self) -> OpenTrial | None:
        """One that was left, or a new one; None while there is none to be had."""
        for frozen in self.unfinished():
            if (found := self._take(frozen.number, frozen._trial_id)) is not None:
                return found
        while len(self.optuna.get_trials(deepcopy=False)) < self.folder.plan.trials:
            asked = self.optuna.ask()
            if asked.number >= self.folder.plan.trials:  # another worker was faster
                self.optuna.tell(asked.number, state=TrialState.FAIL)
                break
            if (found := self._take(asked.number, asked._trial_id)) is not None:
                return found
        return None

    def done(self) -> bool:
        """Whether all trials have been."""
        return len(self.trials()) == self.folder.plan.trials and not self.unfinished()

    def _take(self, number: int, identity: int) -> OpenTrial | None:
        stem, run = self.folder.stem(number), self.folder.run(number)
        turn = self.watch.take(stem, newest_checkpoint(run))
        if turn is None:
            return None
        trial = OpenTrial(self.folder, self, turn, Trial(self.optuna, identity), number)
        if self.frozen(number).state.is_finished():  # since it was listed
            turn.end()
            return None
        if turns_without_progress(stem) > MOST_TURNS:
            trial.fail(f"{MOST_TURNS} workers died of it, none a checkpoint further than the one before")
            turn.end()
            return None
        return trial

    def draw(self, trial: Trial) -> dict[str, Any]:
        """A trial's values: drawn now, or by the worker who had it first."""
        return {dimension.name: suggest(trial, dimension) for dimension in self.folder.plan.space}


def newest_checkpoint(run: Path) -> str:
    """The name of a run's newest checkpoint; empty where there is none."""
    return next((path.stem for path in checkpoints(run)), "")


def _mend(journal: Path, lock: Any) -> None:
    """Take off a last line that was never finished (a full disk): Optuna would read no further for ever."""
    try:
        with journal.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            if not size or (stream.seek(size - 1), stream.read(1))[1] == b"\n":
                return
    except FileNotFoundError:
        return
    lock.acquire()
    try:
        content = journal.read_bytes()
        os.truncate(journal, content.rfind(b"\n") + 1)
    finally:
        lock.release()
