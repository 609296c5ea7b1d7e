"""An experiment from its file to its results: trained once, gone on with, and never mistaken for another."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest
from colours import do_experiment
from other_writer import other_writer
from tiny import answered, call, contents, refused

from residua import api
from residua.config import ExperimentConfig
from residua.experiments import run as run_module
from residua.experiments.catalogue import find_experiment
from residua.experiments.run import ExperimentRun
from residua.experiments.training_runs import train_seconds
from residua.training.loop import Training

FILE = """
title = "Two colours"
about = "Wide against narrow."
[options]
data = "{data}"
engine = "numpy"
{options}
[quick]
epochs = 1
limit = 6
[[variant]]
name = "narrow"
seeds = [0, 1]
published = 40.0
source = "a book, table 1"
note = "of four channels"
[[variant]]
name = "wide"
options = {{ width = 6 }}
[[variant]]
name = "both"
members = ["narrow", "wide"]
[[claim]]
text = "wide is better"
less = "wide"
than = "narrow"
[[look]]
verb = "mistakes"
of = "narrow"
options = {{ show = 4 }}
"""

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with colours.toml, pics/ and out/, the experiment done; to read or copy only."""
    return do_experiment(tmp_path_factory.mktemp("experiment"), FILE, count=12)


@pytest.fixture
def untrained(monkeypatch):
    """Whoever trains now does what is not asked for."""

    def train(*arguments, **options):
        raise AssertionError("trained")

    monkeypatch.setattr(api, "train", train)


def test_what_is_not_chosen_is_read_once(finished, tmp_path, monkeypatch, untrained):
    shutil.copytree(finished / "out", tmp_path / "out")
    read, real = [], run_module.read_result

    def read_result(run, state):
        read.append(run.folder)
        return real(run, state)

    monkeypatch.setattr(run_module, "read_result", read_result)
    config = ExperimentConfig(output=str(tmp_path / "out"), variants=("wide",), engine="numpy")
    experiment = find_experiment(str(finished / "colours.toml"))
    ExperimentRun(experiment, config, lambda line: None).run()
    assert sorted(folder.name for folder in read if folder.parent.name == "narrow") == ["seed-0", "seed-1"]


def test_results_hold_what_was_published_beside_what_came_out(finished):
    out = finished / "out" / "colours"
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    narrow, wide, both = results["variants"]
    assert (narrow["published"], narrow["source"]) == (40.0, "a book, table 1")
    assert [run["seed"] for run in narrow["runs"]] == [0, 1]
    for run in narrow["runs"] + wide["runs"]:
        assert run["error"] == pytest.approx(100 * run["wrong"] / run["pictures"])
        assert (run["state"], run["epochs"], run["versions"]["residua"]) == ("finished", 2, "0.1.0")
        assert run["machine"]["cores"] >= 1
        assert run["seconds"] > 0
        assert run["processor_seconds"] >= 0
        assert len(run["data_mean"]) == len(run["data_deviation"]) == 3
        assert run["command"].startswith("residua train ")
    assert narrow["mean"] == pytest.approx(sum(run["error"] for run in narrow["runs"]) / 2, abs=1e-3)
    assert narrow["deviation"] is not None
    differ = len({run["error"] for run in narrow["runs"]}) > 1  # on so few pictures they may be the same
    assert narrow["interval_of"] == ("seeds" if differ else "test pictures")
    assert wide["interval_of"] == "test pictures"
    assert [run["seed"] for run in both["runs"]] == [0]  # the only one that all members have
    assert both["runs"][0]["command"].startswith("residua ensemble ")
    assert results["claims"][0]["verdict"] in ("held", "not held", "undecided")
    for picture in results["pictures"]:
        assert (out / picture).stat().st_size > 1000
    assert {"results.png", "curves.png", "mistakes-narrow/mistakes.png"} <= set(results["pictures"])


def test_the_table_in_words(finished):
    text = (finished / "out" / "colours" / "results.md").read_text(encoding="utf-8")
    assert text.startswith("## Two colours\n\nWide against narrow.\n")
    row = next(line for line in text.splitlines() if line.startswith("| narrow"))
    assert "40 % (a book, table 1)" in row
    assert "| 0, 1 |" in row
    results = json.loads((finished / "out" / "colours" / "results.json").read_text(encoding="utf-8"))
    assert f"({results['variants'][0]['interval_of']})" in row
    assert "- narrow: of four channels" in text
    assert "- wide is better: **" in text
    assert "residua train " in text


def test_what_is_done_is_not_done_again(finished, capsys, untrained, tmp_path):
    out = shutil.copytree(finished / "out", tmp_path / "out")
    before = contents(out / "colours" / "narrow")
    text = answered(capsys, "experiment", finished / "colours.toml", "--output", out)
    assert "**" in text
    assert "Results:" in text
    assert contents(out / "colours" / "narrow") == before


def test_a_run_from_elsewhere_is_known_by_its_options(finished, capsys, tmp_path, monkeypatch):
    """Trained by the very command in the results, and put into the place."""
    folder = tmp_path / "out" / "colours" / "wide"
    shutil.copytree(finished / "out" / "colours" / "wide" / "seed-0", folder / "seed-0")
    trained = []
    monkeypatch.setattr(api, "train", lambda **options: trained.append(options["config"].run.run))
    text = answered(
        capsys, "experiment", finished / "colours.toml", "--output", tmp_path / "out", "--variants", "wide"
    )
    assert not trained
    assert text.count("not run: not chosen") == 2
    whole = shutil.copytree(finished / "out", tmp_path / "whole")
    text = answered(capsys, "experiment", finished / "colours.toml", "--output", whole, "--variants", "wide")
    assert text.count("| **") == 3, "what was done before is told all the same"


def test_the_time_of_a_run_that_was_stopped_or_is_from_before_processor_time(tmp_path):
    """Of an epoch that was stopped half-way, twice its last half; None where an epoch has no such time."""
    rows = [
        {"epoch": 1, "seconds": 10.0, "processor_seconds": 18.0, "images_per_second": 100.0},
        {"epoch": 2, "seconds": 4.0, "processor_seconds": 8.0, "images_per_second": 125.0},
    ]
    path = tmp_path / "timing.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert train_seconds(tmp_path) == 18.0
    assert train_seconds(tmp_path, "processor_seconds") == 34.0
    del rows[0]["processor_seconds"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert train_seconds(tmp_path, "processor_seconds") is None


def test_the_command_in_the_results_trains_the_same_bytes(finished, tmp_path, monkeypatch):
    from residua.cli import run

    monkeypatch.chdir(tmp_path)
    out = finished / "out" / "colours"
    wide = json.loads((out / "results.json").read_text(encoding="utf-8"))["variants"][1]["runs"][0]
    program, *words = shlex.split(wide["command"])
    assert (program, run(words)) == ("residua", 0)
    for name in ("log.jsonl", "best.safetensors", "test.json"):
        again = tmp_path / "experiments-out" / "colours" / "wide" / "seed-0" / name
        assert again.read_bytes() == (out / "wide" / "seed-0" / name).read_bytes()


def test_a_stopped_run_goes_on_to_the_same_bytes(finished, capsys, tmp_path, monkeypatch):
    end_epoch = Training._end_epoch

    def stop(self, *rest):
        if self.position.epoch == 1:
            raise KeyboardInterrupt
        end_epoch(self, *rest)

    one = ("experiment", finished / "colours.toml", "--output", tmp_path / "out", "--variants", "wide")
    with monkeypatch.context() as patch:
        patch.setattr(Training, "_end_epoch", stop)
        assert call(capsys, *one)[0] == 130
    run = tmp_path / "out" / "colours" / "wide" / "seed-0"
    assert not (run / "test.json").exists()
    assert "Going on with" in answered(capsys, *one)
    other = finished / "out" / "colours" / "wide" / "seed-0"
    for name in ("log.jsonl", "best.safetensors", "test.json"):
        assert (run / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("width = 6\n", "width = 5\n", "was trained with --width 5, the experiment asks for 6: move that"),
        ("seed = 0\n", "seed = 3\n", "--seed 3, the experiment asks for 0"),
        ("crop = 1\n", "crop = 0\n", "--crop 0, the experiment asks for 1"),  # which nobody said
        ('residua = "0.1.0"', 'residua = "9.0"', "was trained by residua 9.0, this is"),
        ("format = 1\n", "format = 9\n", "newer residua"),
    ],
)
def test_a_folder_of_other_runs_is_refused_before_anything_is_trained(
    finished, capsys, tmp_path, untrained, old, new, told
):
    out = shutil.copytree(finished / "out", tmp_path / "out")
    path = out / "colours" / "wide" / "seed-0" / "run.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    (out / "colours" / "narrow" / "seed-0" / "test.json").unlink()  # would be trained first
    before = contents(out)
    assert told in refused(capsys, "experiment", finished / "colours.toml", "--output", out)
    assert contents(out) == before


def test_a_folder_that_is_no_run_is_refused(finished, capsys, tmp_path, untrained):
    folder = tmp_path / "out" / "colours" / "wide" / "seed-0"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    told = refused(capsys, "experiment", finished / "colours.toml", "--output", tmp_path / "out")
    assert "is no run folder: move it away" in told


def test_data_that_are_absent(finished, capsys, tmp_path):
    """They are told, with where to get them, and the others go on; what is done already is still shown."""
    absent = tmp_path / "absent.toml"
    text = (
        (finished / "colours.toml")
        .read_text()
        .replace('title = "Two', 'where = "Ask a painter."\ntitle = "Two')
    )
    absent.write_text(text.replace((finished / "pics").as_posix(), "no-such-folder"))
    out = shutil.copytree(finished / "out", tmp_path / "out")
    code, printed, _ = call(capsys, "experiment", absent, finished / "colours.toml", "--output", out)
    assert code == 2
    assert "neither a data set nor a folder" in printed
    assert printed.count("Ask a painter.") == 1
    assert "not run: the data are not at hand" in printed
    assert "Results: " in printed.split("absent with")[-1]
    results = json.loads((out / "absent" / "results.json").read_text())
    assert results["variants"][0]["missing"] == "the data are not at hand"
    shutil.copytree(out / "colours" / "wide", out / "absent" / "wide")
    run = out / "absent" / "wide" / "seed-0" / "run.toml"
    run.write_text(run.read_text().replace((finished / "pics").as_posix(), "no-such-folder"))
    _, printed, _ = call(capsys, "experiment", absent, "--output", out)
    assert "| wide |  | **" in printed


def test_a_quick_run_lies_apart_and_says_so(finished, capsys, tmp_path):
    out = answered(capsys, "experiment", finished / "colours.toml", "--output", tmp_path, "--quick")
    assert "6 training and 2 validation pictures" in out
    results = json.loads((tmp_path / "quick" / "colours" / "results.json").read_text())
    assert results["quick"]
    assert [len(row["runs"]) for row in results["variants"]] == [1, 1, 1]
    assert "these numbers say nothing" in (tmp_path / "quick" / "colours" / "results.md").read_text()
    assert not (tmp_path / "colours").exists()


def test_some_variants_and_seeds(finished, capsys, tmp_path):
    one = ("experiment", finished / "colours.toml", "--output", tmp_path, "--quick")
    out = answered(capsys, *one, "--variants", "narrow", "--seeds", 1)
    assert "seed 1" in out
    assert "seed 0" not in out
    rows = json.loads((tmp_path / "quick" / "colours" / "results.json").read_text())["variants"]
    assert [run["seed"] for run in rows[0]["runs"]] == [1]
    assert rows[1]["missing"] == "not chosen"
    assert "no variant 'broad'" in refused(capsys, *one, "--variants", "broad")


def test_seeds_that_were_not_chosen_now_are_told_all_the_same(finished, capsys, tmp_path, untrained):
    """Of the chosen variant and of the others; joined models stay as they are."""
    out = shutil.copytree(finished / "out", tmp_path / "out")
    before = json.loads((out / "colours" / "results.json").read_text())["variants"]
    one = ("experiment", finished / "colours.toml", "--output", out)
    for more in (("--variants", "narrow", "--seeds", 1), ("--variants", "wide")):
        answered(capsys, *one, *more)
        rows = json.loads((out / "colours" / "results.json").read_text())["variants"]
        assert [[run["seed"] for run in row["runs"]] for row in rows] == [[0, 1], [0], [0]]
        assert [row["mean"] for row in rows] == [row["mean"] for row in before]


def test_a_loss_that_is_not_finite_is_a_result(finished, capsys, tmp_path, monkeypatch):
    step = Training._step

    def diverge(self, phase, batch, rate):
        if self.task.config.model.width == 6:
            self._stop_not_finite(batch, {"loss": float("nan"), "norm": 1.0})
        step(self, phase, batch, rate)

    monkeypatch.setattr(Training, "_step", diverge)
    one = ("experiment", finished / "colours.toml", "--output", tmp_path)
    assert "| wide |  | diverged |" in answered(capsys, *one)
    assert "| wide |  | diverged |" in (again := answered(capsys, *one))
    assert "wide, seed 0" not in again, "it was not tried once more"
    results = json.loads((tmp_path / "colours" / "results.json").read_text())
    assert results["variants"][1]["runs"][0]["state"] == "diverged"
    assert results["claims"][0]["verdict"] == "not run"


def test_a_run_of_so_many_steps_is_known_though_its_epochs_were_counted_later(finished, capsys, tmp_path):
    text = (finished / "colours.toml").read_text().replace("epochs = 2", "total-steps = 3")
    path = tmp_path / "steps.toml"
    path.write_text(text)
    one = ("experiment", path, "--output", tmp_path / "out", "--variants", "wide")
    assert "seed 0" in answered(capsys, *one)
    run = tmp_path / "out" / "steps" / "wide" / "seed-0" / "run.toml"
    assert "total_steps = 3" in run.read_text()
    assert "seed 0" not in answered(capsys, *one)
    path.write_text(text.replace("total-steps = 3", "total-steps = 4"))
    assert "--total-steps 3, the experiment asks for 4" in refused(capsys, *one)


def test_two_processes_do_not_train_one_run(finished, capsys, tmp_path, untrained):
    pytest.importorskip("fcntl", reason="nothing is locked on Windows")
    run = tmp_path / "colours" / "wide" / "seed-0"
    one = ("experiment", finished / "colours.toml", "--output", tmp_path, "--variants", "wide")
    with other_writer(run):
        told = refused(capsys, *one)
    assert "seed-0 is being written by process " in told
    assert ": let it finish, or choose other --variants, --seeds or another --output" in told
    assert not run.exists()
