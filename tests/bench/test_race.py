"""Inference beside the runtimes: the same answers, in turn, each in a process that is stopped out of turn."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from bench_harness import harness_with
from tiny import answered, refused

from residua.bench import PEERS, inference_cases, table
from residua.bench.networks import TINY
from residua.bench.results import FASTEST, OURS, Goal, Result
from residua.bench.runtimes import contestant, race
from residua.bench.runtimes.graph import write_graph
from residua.bench.runtimes.sides import GRAPH, RACED, SIDES, Job
from residua.bench.timing import Limits
from residua.errors import RunError


@pytest.fixture
def job(tmp_path):
    write_graph(TINY, tmp_path / GRAPH)
    return Job(TINY.title, 3, 1, "numpy", str(tmp_path))


@pytest.mark.parametrize("side", ["torch", "onnxruntime", "openvino"])
def test_every_side_gives_the_same_logits(job, side):
    pytest.importorskip(side, reason=f"{PEERS[side]} is not installed")
    wanted = SIDES["residua"](job)[0]()
    answer, mode = SIDES[side](job)
    for _ in range(2):
        assert answer().shape == (3, 10)
        assert np.abs(answer() - wanted).max() < 1e-5 * np.abs(wanted).max()
    assert mode


def test_a_contestant_does_as_it_is_told(job, tmp_path):
    replies = io.StringIO()
    contestant.serve("residua", job, io.StringIO(f"answer {tmp_path}/logits.npy\nrun 4\n"), replies)
    ready, answered, run = map(json.loads, replies.getvalue().splitlines())
    assert (ready, answered) == ({"mode": "numpy"}, {})
    assert len(run["milliseconds"]) == 4
    assert np.load(tmp_path / "logits.npy").shape == (3, 10)
    assert Job.from_text(job.to_text()) == job


def test_a_process_that_is_not_asked_is_stopped(job):
    with race.Contestant("residua", job) as process:
        assert process.wait() == "numpy"
        state = Path(f"/proc/{process._process.pid}/stat")
        if state.exists():
            until = time.monotonic() + 10  # a signal is under way for a moment
            while state.read_text().rpartition(")")[2].split()[0] != "T":
                assert time.monotonic() < until
                time.sleep(0.001)
        assert len(process.run(2)) == 2


def test_a_side_that_ends_is_told_in_one_line(job):
    with (
        race.Contestant("nobody", job) as process,
        pytest.raises(RunError, match="nobody ended with code 1: KeyError: 'nobody'"),
    ):
        process.wait()


class Spoken:
    """A contestant without a process."""

    def __init__(self, side, job):
        self.side, self.turns = side, []

    def wait(self):
        return "as it is"

    def answer(self, file):
        logits = np.arange(1.0, 11.0)
        return logits * (1 + 1e-5) if self.side == "openvino" else logits

    def run(self, count):
        return [{"residua": 2.0, "torch": 8.0, "onnxruntime": 5.0, "openvino": 3.0}[self.side]] * count

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        pass


@pytest.fixture
def spoken(monkeypatch):
    monkeypatch.setattr(race, "Contestant", Spoken)
    monkeypatch.setattr(race, "sgemm_peak", lambda threads: 1e11)
    monkeypatch.setattr(race, "read_bandwidth", lambda threads: 1e6)


def test_goals_are_set_against_the_faster_runtime(job, spoken):
    row = race.race(job, tuple(PEERS), Limits(rounds=2, seconds=9), Goal(">=", 1.6)).row()
    assert list(row["sides"]) == [OURS, "PyTorch", "ONNX Runtime", "OpenVINO"]
    assert {side: ratio["of_medians"] for side, ratio in row["ratios"].items()} == {
        "PyTorch": 4.0,
        "ONNX Runtime": 2.5,
        "OpenVINO": 1.5,
    }
    assert (row["ratio"]["side"], row["ratio_of"]) == ("OpenVINO", f"{FASTEST} / residua")
    assert (row["to_reach"], row["reached"]) == (">= 1.6", False)
    assert row["differences"]["OpenVINO"] == {"largest": 1e-4, "share": 1e-5}
    assert row["agree"]
    assert row["sides"][OURS]["share_of_bandwidth"] > 0
    text = "\n".join(table._rows(tuple(row["sides"]), row["ratio_of"], [row]))
    assert "| 3 ms (3 to 3): 1.50 | 1.50 (1.50 to 1.50) | >= 1.6: **missed** |" in text
    assert "logits differ by" in text
    assert "| 1e-05 |" in text


def test_other_answers_reach_nothing():
    samples = {OURS: [[1.0]], "OpenVINO": [[9.0]]}
    for difference in (0.1, float("nan")):
        row = Result(
            "inference",
            "Work",
            1,
            "ms",
            samples,
            goal=Goal(">=", 2.0),
            against=("OpenVINO",),
            differences={"OpenVINO": (1.0, difference)},
        ).row()
        assert (row["ratio"]["of_medians"], row["reached"]) == (9.0, False)
        assert "**other answers**" in table._difference(row)


def test_without_peers_residua_is_timed_alone(job, spoken):
    row = race.race(job, (), Limits(rounds=1, seconds=9), Goal(">=", 2.0)).row()
    assert set(row["sides"]) == {OURS}
    assert row["reached"] is None


def test_the_case_has_every_network_twice(spoken, monkeypatch):
    monkeypatch.setattr(race, "write_graph", lambda network, file: None)
    rows = [result.row() for result in inference_cases.measure(harness_with())]
    assert len(rows) == 12
    assert {network.title for network, *_ in inference_cases.LINES} < set(RACED)
    assert rows[1]["work"] == "ResNet-20 inference, one picture"


def test_peers_that_are_missing_are_said(capsys, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        "residua.bench.run.importlib.util.find_spec",
        lambda name, *rest: None if name in PEERS else found(name, *rest),
    )
    monkeypatch.setitem(
        __import__("residua.bench.cases", fromlist=["MEASURES"]).MEASURES, "inference", lambda harness: ()
    )
    options = ["--engine", "numpy", "--threads", "1", "--rounds", "1"]
    said = answered(capsys, "bench", "--cases", "inference", *options, "--peers", "openvino", "torch")
    assert "OpenVINO is not installed (pip install 'residua[peer]'): it takes no part" in said
    assert "PyTorch is not installed" in said
    assert "ONNX" not in said
    assert "OpenVINO" not in answered(capsys, "bench", "--cases", "smoke", *options)


def test_an_unknown_peer_is_refused(capsys):
    said = refused(capsys, "bench", "--cases", "inference", "--peers", "openvno")
    assert "there is no peer 'openvno'. Did you mean 'openvino'?" in said
