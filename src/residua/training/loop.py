"""The training loop: epochs, batches, validation, checkpoints, and every way in which a run can end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from residua.data.batches import Batch
from residua.errors import NonFiniteError
from residua.files.json_lines import append_line
from residua.models.model_file import Model, save_model
from residua.training.checkpoint import Position, write_checkpoint
from residua.training.full_batches import Given, fill_up, full_size
from residua.training.inference import LabelledProbabilities, predict_probabilities
from residua.training.interruption import Interrupted, stop_requests
from residua.training.layer_statistics import FILE, layer_statistics
from residua.training.lookahead import EVERY, make_fall_back, slow_share
from residua.training.not_finite import not_finite_error
from residua.training.phases import Phase, make_phase
from residua.training.ranks.validation import predict_divided
from residua.training.run_folder import resume_command
from residua.training.schedules import make_schedule
from residua.training.step import mixed_labels
from residua.training.task import Task
from residua.training.under_way import UnderWay, without_going
from residua.variables import Tree, transform

WAITING_SHARE = 0.1  # above this the pictures, not the network, decide the speed
SHORT_SECONDS = 2.0  # an epoch on cached features: nobody waits for it


class Training:
    """A run under way: the task, the state that steps change, and the position in it."""

    def __init__(self, task: Task, state: Tree, position: Position) -> None:
        self.task, self.state, self.position = task, state, position
        config = task.config
        self.epochs = config.schedule.epochs or 1
        self.steps = config.schedule.total_steps or self.epochs * task.train.count
        self.schedule = make_schedule(
            config.schedule, config.optimizer.rate or 0.0, self.steps / task.train.count
        )
        position.schedule = position.schedule or self.schedule.start()
        self.fall_back = make_fall_back(task.engine) if "slow" in state else None
        self.under_way = UnderWay(task.engine.behind)
        self.checkpoint_seconds = time.monotonic()
        self.stop_requested = task.stop_requested
        self.undrawn: set[str] = set()  # why pictures could not be drawn, as far as said

    def run(self) -> None:
        """Train to the end.

        Raises Interrupted after Ctrl-C or SIGTERM, with a checkpoint written; NonFiniteError at the step
        whose loss is not finite; RunError where the run folder cannot be written.
        """
        if self.position.step == 0:
            self.write_checkpoint()
        phase = self._phase()  # before stops are asked for instead of made: a base may take its time
        # Overflow is looked for after every step; NumPy's warnings of it would only add noise.
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        with stop_requests(self.stop_requested), quiet:
            while self.position.epoch < self.epochs and not self._stalled():
                if self._phase_begins():
                    phase = self._phase()
                self._epoch(phase)
        if self._asked_to_stop():  # while the last epoch was judged: never swallowed
            self._draw()
            raise Interrupted(f"Stopped after the last epoch; {self.task.run} holds the trained model")

    def _phase_begins(self) -> bool:
        """Whether other layers are trained from here on than in the epoch before."""
        turns = (self.task.freezing.unfreeze, self.task.config.optimizer.whitening_epochs)
        return self.position.batch == 0 and self.position.epoch in turns

    def _phase(self) -> Phase:
        """What the present epoch trains."""
        return make_phase(self.task, self.position.epoch, self.state["variables"])

    def _epoch(self, phase: Phase) -> None:
        task, position = self.task, self.position
        count = phase.train.count
        start, seen_before, processor = time.monotonic(), position.seen, time.process_time()
        task.reporter.start_epoch(position.epoch, self.epochs, count, position.batch)
        with phase.train.epoch(position.epoch, start=position.batch) as batches:
            for batch in batches:
                if position.step + len(self.under_way) == self.steps:
                    break
                begun = position.batch + len(self.under_way)
                rate = self.schedule.rate(position.epoch + begun / count, position.schedule)
                self._step(phase, batch, rate)
                if self.stop_requested.is_set() if task.crew is None else task.crew.stopped:
                    self._read()
                    self._stop()
                if task.writes and self._checkpoint_due():
                    self._read()
                    self.write_checkpoint()
            self._read()
        seconds = max(time.monotonic() - start, 1e-9)
        timing = {
            "epoch": position.epoch + 1,
            "seconds": round(seconds, 3),
            "processor_seconds": round(time.process_time() - processor, 3),
            "images_per_second": round((position.seen - seen_before) / seconds, 1),
            "waited_share": round(phase.train.waited_seconds / seconds, 4),
        }
        self._end_epoch(phase, timing)

    def _step(self, phase: Phase, batch: Batch, rate: float) -> None:
        task, position = self.task, self.position
        weights = None if task.class_weights is None else task.class_weights[batch.labels]
        if task.picture_weights is not None:
            weights = task.picture_weights[batch.indices]
        mixed = mixed_labels(batch)
        if mixed is not None and weights is not None and task.class_weights is not None:
            # A picture made of two counts as much as its classes do, in their shares.
            weights = weights * mixed[1] + task.class_weights[mixed[0]] * (1 - mixed[1])
        given = Given(batch.images, batch.labels, weights, mixed)
        if task.engine.fixed_batches:
            rows = full_size(phase.train, task.engine.divides if task.crew is None else task.crew.divides)
            here = rows if task.crew is None else rows // task.crew.hosts
            given = fill_up(task.engine, given, here, rows / batch.whole)
        state = {name: part for name, part in self.state.items() if name != "slow"}
        parts = () if task.crew is None else (batch.whole,)
        after, results = phase.step(
            self.under_way.given(state), given.images, given.labels, given.weights, rate, given.mixed, *parts
        )
        after = without_going(after)
        slow = {} if self.fall_back is None else {"slow": self.state["slow"]}
        self.state = after | slow  # before all else: an engine may have taken back what it was given
        self.under_way.begun(batch, results)
        begun = position.step + len(self.under_way)
        if self.fall_back is not None and begun % EVERY == 0:
            share = slow_share(begun / self.steps)
            self._read()  # what is not finite must not be mixed in
            variables = after["variables"] if task.crew is None else task.crew.plain(after["variables"])
            fallen = self.fall_back(variables, slow["slow"], share)
            # Arrays of its own: a step may write to the variables that it is given.
            self.state = after | {"variables": fallen, "slow": transform(np.array, fallen)}
        self._read(everything=False)

    def _read(self, everything: bool = True) -> None:
        """Read what came of steps: of all that have been begun, or of those that were long enough ago."""
        task, position = self.task, self.position
        for batch, results in self.under_way.finished(everything):
            results = results if task.crew is None else task.crew.read(results)
            if not results["finite"]:
                self.under_way.forget()
                self._stop_not_finite(batch, results)
            position.batch += 1
            position.step += 1
            position.seen += batch.whole
            position.loss_sum += float(results["loss"]) * batch.whole
            position.correct += int(results["correct"])
            pictures = position.seen
            task.reporter.step(batch.whole, position.loss_sum / pictures, position.correct / pictures)

    def _end_epoch(self, phase: Phase, timing: dict[str, Any]) -> None:
        """Validate, log, keep the best, move on to the next epoch, and write a checkpoint of that."""
        task, position = self.task, self.position
        rate = self.schedule.rate(position.epoch + (position.batch - 1) / task.train.count, position.schedule)
        row: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "step": position.step,
            "rate": rate,
            "train_loss": position.loss_sum / position.seen,
            "train_error": 100 * (1 - position.correct / position.seen),
        }
        predicted = self.validate(phase)
        if predicted is None:
            best = True
        else:
            accuracy, loss = predicted.accuracy, predicted.loss
            if task.validation_weights is not None:
                accuracy, loss = predicted.weighted(task.validation_weights)
            if not np.isfinite(predicted.probabilities).all():
                raise NonFiniteError(
                    f"after epoch {position.epoch + 1} the validation loss is not a finite number; the last "
                    f"checkpoint in {task.run} is from before: try a lower --rate or --clip 1"
                )
            row |= {"validation_loss": loss, "validation_error": 100 * (1 - accuracy)}
            position.schedule = self.schedule.observe(position.schedule, accuracy)
            best = (accuracy, -loss) > (position.best_accuracy, -position.best_loss)
            if best:
                position.best_accuracy, position.best_loss = accuracy, loss
        if best:
            position.best_epoch = position.epoch + 1
        if task.writes:
            self._write_epoch(phase, row, timing, best)
        position.epoch, position.batch = position.epoch + 1, 0
        position.seen, position.loss_sum, position.correct = 0, 0.0, 0
        self.write_checkpoint()
        task.reporter.end_epoch(row, timing, best)
        if timing["waited_share"] > WAITING_SHARE and timing["seconds"] > SHORT_SECONDS:
            task.reporter.say(
                f"{timing['waited_share']:.0%} of this epoch was spent waiting for pictures: "
                "the disk or the augmentation is slower than the network"
            )
        if position.epoch < self.epochs:  # the end is drawn by whoever asked for the run
            self._draw()
            if self._asked_to_stop():
                self._stop()

    def _write_epoch(self, phase: Phase, row: dict[str, Any], timing: dict[str, Any], best: bool) -> None:
        """The model as it stands, and a line in each log."""
        task, position, model = self.task, self.position, self.model(row)
        if best:
            save_model(task.run / "best.safetensors", model)
        save_model(task.run / "last.safetensors", model)
        statistics = layer_statistics(task.engine, phase.network, self._variables(), phase.train)
        position.statistics_bytes = append_line(task.run / FILE, {"epoch": row["epoch"]} | statistics)
        position.log_bytes = append_line(task.run / "log.jsonl", row)
        append_line(task.run / "timing.jsonl", timing)

    def _asked_to_stop(self) -> bool:
        """Whether this process, or any other of the job, has been asked to stop."""
        asked, crew = self.stop_requested.is_set(), self.task.crew
        return asked if crew is None or crew.world is None else crew.world.any(asked)

    def _draw(self) -> None:
        """What is drawn after an epoch; where that fails the run has a picture less, and goes on."""
        if not self.task.writes:
            return
        try:
            self.task.after_epoch(self.task.run)
        except Exception as error:  # whatever it is, hours of training are worth more
            reason = " ".join(str(error).split()) or type(error).__name__
            if reason not in self.undrawn:
                self.undrawn.add(reason)
                self.task.reporter.say(f"A picture of the run could not be drawn: {reason}")

    def model(self, row: dict[str, Any]) -> Model:
        """The model as it stands: averaged or slow weights where they are kept."""
        training = self.task.model.training | {"at": row}
        return replace(self.task.model, variables=self._variables(), training=training)

    def _variables(self) -> Tree:
        kinds = [kind for kind in ("averaged", "slow") if kind in self.state]
        variables: Tree = self.state[kinds[0] if kinds else "variables"]
        return variables if self.task.crew is None else self.task.crew.plain(variables)

    def validate(self, phase: Phase) -> LabelledProbabilities | None:
        """The frozen network's answers on the validation split; None where there is none."""
        if phase.validation is None:
            return None
        frozen, crew = phase.network.freeze(self._variables()), self.task.crew
        if crew is None or crew.world is None:
            return predict_probabilities(self.task.engine, *frozen, phase.validation)
        return predict_divided(crew.world, self.task.engine, frozen, phase.validation)

    def write_checkpoint(self) -> None:
        """Write a checkpoint of this moment."""
        if self.task.writes:
            write_checkpoint(self.task.run, self.state, self.position, self.task.fingerprint)
        self.checkpoint_seconds = time.monotonic()

    def _checkpoint_due(self) -> bool:
        options, begun = self.task.config.run, self.position.step + len(self.under_way)
        if options.checkpoint_steps and begun % options.checkpoint_steps == 0:
            return True
        return time.monotonic() - self.checkpoint_seconds >= options.checkpoint_seconds

    def _stalled(self) -> bool:
        patience, position = self.task.config.schedule.stop_patience, self.position
        stalled = bool(patience) and position.epoch - position.best_epoch >= patience
        if stalled:
            self.task.reporter.say(
                f"Stopped early: no better validation accuracy in {patience} epochs "
                f"(the best was epoch {position.best_epoch})"
            )
        return stalled

    def _stop(self) -> None:
        self.write_checkpoint()
        raise Interrupted(
            f"Stopped after step {self.position.step}, in epoch {self.position.epoch + 1} of {self.epochs}; "
            f"go on with: {resume_command(self.task.run)}"
        )

    def _stop_not_finite(self, batch: Batch, results: dict[str, Any]) -> None:
        """Keep the last finite weights, write down which pictures the batch held, and raise."""
        if not self.task.writes:
            raise NonFiniteError(f"not a finite number at step {self.position.step + 1}")
        error = not_finite_error(self.task, self.position, batch, results)
        at = {"epoch": self.position.epoch + 1, "step": self.position.step}
        save_model(self.task.run / "last.safetensors", self.model(at))
        self.write_checkpoint()
        raise error
