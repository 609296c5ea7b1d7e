"""Trials trained, left, taken over and ended early: the same trials whatever happened to their workers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
from dataclasses import asdict, replace

import pytest
from other_writer import other_writer
from tiny import TINY

pytest.importorskip("optuna", reason="optuna is not installed")

import optuna

from residua.errors import NonFiniteError, RunError
from residua.files.one_writer import LOCK
from residua.insight.sweeps.numbers import best_row
from residua.sweeps import trial as trials
from residua.sweeps import work as works
from residua.sweeps.folder import Folder, open_folder
from residua.sweeps.owners import this_process
from residua.sweeps.plan import read_plan
from residua.sweeps.results import importance, plan_axes, trial_rows
from residua.sweeps.study import MOST_TURNS, Study
from residua.sweeps.trial import TrialReporter
from residua.sweeps.work import work
from residua.training.run_folder import read_log, read_run

GRID = {"sampler": "grid"}
RATES = {"rate": [0.1, 0.02], "width": [2, 3]}
DRAWN = {"rate": {"low": 0.001, "high": 0.5, "log": True}, "width": {"low": 2, "high": 5}}


@pytest.fixture
def begin(trained, tmp_path, quiet_cache, stub_figures):
    """A sweep on a few blue and red pictures, in a folder of its own."""
    import tomli_w

    def make(name, search, space, **options):
        common = TINY | {"data": str(trained / "pics"), "engine": "numpy", "validation": 0.4, "epochs": 3}
        fixed = {key: value for key, value in (common | options).items() if key not in space}
        file = tmp_path / f"{name}.toml"
        file.write_text(tomli_w.dumps({"sweep": search, "train": fixed, "space": space}))
        return open_folder(read_plan(file), tmp_path / name, file)

    return make


def facts(folder: Folder):
    """What must be the same of each trial, to the bytes of its best model."""
    found = []
    for trial in Study(folder).trials():
        run = folder.run(trial.number)
        digests = [
            hashlib.sha256((run / name).read_bytes()).hexdigest()
            for name in ("best.safetensors", "last.safetensors", "log.jsonl")
            if (run / name).exists()
        ]
        found.append(
            (trial.number, trial.state, trial.params, trial.value, trial.intermediate_values, digests)
        )
    return found


def interrupted_after(monkeypatch, epochs):
    """The worker is interrupted after each of these epochs, counted over all trials."""
    done, as_it_is = [0], TrialReporter.end_epoch

    def end_epoch(self, row, timing, best):
        done[0] += 1
        if done[0] in epochs:
            raise KeyboardInterrupt
        as_it_is(self, row, timing, best)

    monkeypatch.setattr(TrialReporter, "end_epoch", end_epoch)


def work_on(folder):
    """Work, and come again after each interruption; how often that was."""
    for again in range(50):
        try:
            work(folder, 1)
        except KeyboardInterrupt:
            continue
        return again
    raise AssertionError("no end")


def test_a_grid_is_tried_in_its_order(begin):
    folder = begin("grid", GRID, RATES)
    heard = []
    study = work(folder, 1, lambda study: heard.append(len(study.trials())))
    rows = trial_rows(study)
    assert [row.values for row in rows] == [{"rate": r, "width": w} for r in (0.1, 0.02) for w in (2, 3)]
    assert {row.state for row in rows} == {"done"}
    assert max(heard) == 4
    for row in rows:
        config, log = read_run(folder.run(row.number)), read_log(folder.run(row.number))
        assert (config.optimizer.rate, config.model.width) == tuple(row.values.values())
        assert config.run.final_test is False
        assert row.accuracy == max(1 - entry["validation_error"] / 100 for entry in log)
        assert (row.epochs, row.seconds is not None) == (3, True)
        assert (folder.run(row.number) / "curves.png").exists()
    best = best_row(rows)
    assert best.accuracy == max(row.accuracy for row in rows)
    assert [axis.name for axis in plan_axes(folder)] == ["rate", "width"]
    assert plan_axes(folder)[0].labels == (0.02, 0.1)
    assert study.done()
    work(folder, 1)  # nothing is left to do
    assert len(study.optuna.get_trials()) == 4


@pytest.mark.parametrize(("search", "space"), [(GRID, RATES), ({"trials": 5}, DRAWN)])
def test_interrupted_and_continued_trials_are_those_of_an_undisturbed_sweep(
    begin, monkeypatch, search, space
):
    """With a pruner too: a trial that was interrupted before it was looked at is looked at then."""
    search = search | {"pruner": "halving", "factor": 2}
    peace = begin("peace", search, space)
    work(peace, 1)
    interrupted_after(monkeypatch, {1, 2, 4, 5, 7})
    disturbed = begin("disturbed", search, space)
    assert work_on(disturbed) >= 3
    assert facts(disturbed) == facts(peace)
    assert {trial.state.name for trial in Study(peace).trials()} == {"COMPLETE", "PRUNED"}


def test_a_killed_workers_trial_goes_on_from_its_checkpoint(begin, monkeypatch):
    peace = begin("peace", GRID, RATES, epochs=2)
    work(peace, 1)
    interrupted_after(monkeypatch, {1})
    killed = begin("killed", GRID, RATES, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        work(killed, 1)
    # As a kill leaves it: the owner's process is gone, the log one epoch ahead of what the study knows.
    owner = killed.stem(0).with_name("0000-0001.json")
    owner.write_text(json.dumps(asdict(replace(this_process(), start="0"))))
    assert Study(killed).trials()[0].intermediate_values == {}
    resumed = []
    as_it_is = trials._catch_up
    monkeypatch.setattr(trials, "_catch_up", lambda t, r, c: resumed.append(t.number) or as_it_is(t, r, c))
    work(killed, 1)
    assert resumed == [0]
    assert facts(killed) == facts(peace)


@pytest.mark.parametrize("remains", ["nothing", "a folder without a checkpoint"])
def test_a_trial_whose_worker_died_before_its_first_step_begins_anew(begin, remains):
    peace, killed = begin("peace", GRID, RATES, epochs=1), begin("killed", GRID, RATES, epochs=1)
    work(peace, 1)
    Study(killed).optuna.ask()
    if remains != "nothing":
        shutil.copytree(peace.run(0), killed.run(0))
        for checkpoint in killed.run(0).glob("checkpoint*"):
            checkpoint.unlink()
    work(killed, 1)
    assert facts(killed) == facts(peace)


def test_a_trial_that_another_worker_took_is_left_to_it(begin, monkeypatch):
    folder = begin("lost", GRID, RATES)

    class Still:
        def __init__(self, turn, on_lost, parent):
            self.on_lost = on_lost

        def __enter__(self):
            self.on_lost()

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(trials, "Heart", Still)
    study = Study(folder)
    trial = study.next_trial()
    trials.train_trial(trial, 1, lambda: None, None)
    assert study.trials()[0].state.name == "RUNNING"
    assert study.trials()[0].intermediate_values == {}


def test_a_run_that_somebody_else_trains_ends_the_sweep_and_is_left_to_them(begin):
    pytest.importorskip("fcntl", reason="nothing is locked on Windows")
    folder = begin("shared", GRID, {"rate": [0.1]})
    with other_writer(folder.run(0)):
        with pytest.raises(RunError, match="let it finish, or stop it first"):
            work(folder, 1)
        assert os.listdir(folder.run(0)) == [LOCK]
    work(folder, 1)
    assert [row.state for row in trial_rows(Study(folder))] == ["done"]


def test_one_that_was_taken_for_dead_has_time_to_leave(begin, monkeypatch):
    pytest.importorskip("fcntl", reason="nothing is locked on Windows")
    folder = begin("patient", GRID, {"rate": [0.1]})
    interrupted_after(monkeypatch, {1})
    with pytest.raises(KeyboardInterrupt):
        work(folder, 1)
    held, slept = contextlib.ExitStack(), []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            held.close()

    monkeypatch.setattr(trials.time, "sleep", sleep)
    held.enter_context(other_writer(folder.run(0)))
    work(folder, 1)
    assert slept == [trials.WAIT_SECONDS] * 3
    assert [row.state for row in trial_rows(Study(folder))] == ["done"]


def test_a_worker_whose_parent_is_gone_asks_itself_to_stop(begin, monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    folder = begin("orphan", GRID, RATES)

    class Still:
        def __init__(self, turn, on_lost, parent):
            on_lost()

        def __enter__(self):
            raise KeyboardInterrupt

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(trials, "Heart", Still)
    with pytest.raises(KeyboardInterrupt):
        trials.train_trial(Study(folder).next_trial(), 1, lambda: None, parent=-1)
    assert sent == [(os.getpid(), signal.SIGTERM)]


def test_a_trial_that_kills_its_workers_is_given_up(begin):
    folder = begin("deadly", GRID, RATES, epochs=1)
    Study(folder).optuna.ask()
    for number in range(1, MOST_TURNS + 1):
        owner = replace(this_process(), start="0")
        folder.stem(0).with_name(f"0000-{number:04d}.json").write_text(json.dumps(asdict(owner)))
    rows = trial_rows(work(folder, 1))
    assert [row.state for row in rows] == ["failed", "done", "done", "done"]
    assert f"{MOST_TURNS} workers died of it" in rows[0].note


def test_what_cannot_be_trained_fails_alone_and_what_diverges_ended_early(begin, monkeypatch):
    space = {"start": {"bad": {"freeze": 1}, "good": {}, "wild": {"seed": 7}}}
    folder = begin("mixed", GRID, space, epochs=1)
    as_it_is = trials._train

    def train(trial, values, threads, reporter):
        if values["start"] == "wild":
            raise NonFiniteError("the loss is nan at step 3")
        as_it_is(trial, values, threads, reporter)

    monkeypatch.setattr(trials, "_train", train)
    rows = trial_rows(work(folder, 1))
    assert [row.state for row in rows] == ["failed", "done", "diverged"]
    assert "--freeze" in rows[0].note
    assert "the loss is nan at step 3" in rows[2].note


def test_a_sweep_of_failures_ends_with_the_reason(begin):
    folder = begin("failing", GRID, {"rate": [0.1, 0.2, 0.3, 0.4]}, model="vgg99")
    with pytest.raises(
        RunError, match=r"none of the first 3 trials of .* could be trained; the last: .*vgg99"
    ):
        work(folder, 1)
    assert len(Study(folder).trials()) == 3


def test_data_that_are_not_there_end_the_sweep_and_leave_the_trial(begin, tmp_path):
    from residua.errors import DataError

    folder = begin("absent", GRID, RATES, data=str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nowhere"):
        work(folder, 1)
    assert [trial.state.name for trial in Study(folder).trials()] == ["RUNNING"]


def test_draws_depend_on_nothing_but_seed_number_and_trials(begin):
    """The eleventh trial is the first that TPE draws from the others."""

    def draw_all(study):
        found = []
        for number in range(12):
            trial = study.optuna.ask()
            values = study.draw(trial)
            again = optuna.trial.Trial(study.optuna, trial._trial_id)
            assert study.draw(again) == values
            study.optuna.tell(number, values["rate"] * values["width"])
            found.append(values)
        return found

    first = draw_all(Study(begin("one", {"trials": 12}, DRAWN)))
    assert draw_all(Study(begin("two", {"trials": 12}, DRAWN))) == first
    assert draw_all(Study(begin("three", {"trials": 12, "seed": 1}, DRAWN))) != first
    assert len({values["rate"] for values in first}) == 12


def test_a_draw_that_was_cut_short_goes_on_the_same(begin):
    whole, cut = Study(begin("whole", {"trials": 1}, DRAWN)), Study(begin("cut", {"trials": 1}, DRAWN))
    values = whole.draw(whole.optuna.ask())
    trial = cut.optuna.ask()
    trial.suggest_float("rate", 0.001, 0.5, log=True)
    assert cut.draw(optuna.trial.Trial(cut.optuna, trial._trial_id)) == values


def test_workers_that_ask_at_once_make_no_trial_too_many(begin):
    folder = begin("many", GRID, {"rate": [0.1, 0.2]}, epochs=1)
    first, second = Study(folder), Study(folder)
    taken = [first.next_trial(), second.next_trial(), first.next_trial(), second.next_trial()]
    assert [trial and trial.number for trial in taken] == [0, 1, None, None]
    first.optuna.ask()  # by a worker that saw one trial when there were two
    assert [trial.number for trial in Study(folder).trials()] == [0, 1]
    for trial in taken[:2]:
        trial.finish(0.5, 1.0)
        trial.turn.end()
    assert Study(folder).done()
    assert importance(first) == {}


def test_a_torn_last_line_of_the_journal_is_taken_off(begin):
    folder = begin("torn", GRID, RATES, epochs=1)
    study = Study(folder)
    study.optuna.ask()
    whole = folder.journal.read_bytes()
    folder.journal.write_bytes(whole + b'{"op_code": 4, "wor')
    assert len(Study(folder).trials()) == 1
    assert folder.journal.read_bytes().startswith(whole)
    Study(folder).optuna.ask()
    assert len(Study(folder).trials()) == 2
    folder.journal.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(RunError, match=r"journal.log cannot be read: .*--output"):
        Study(folder)


def test_a_worker_waits_for_the_last_trials_of_others(begin, monkeypatch):
    folder = begin("waiting", GRID, {"rate": [0.1]}, epochs=1)
    other = Study(folder).next_trial()
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        other.finish(0.5, 1.0)

    monkeypatch.setattr(works.time, "sleep", sleep)
    assert work(folder, 1).done()
    assert len(waited) == 1
    other.turn.end()
