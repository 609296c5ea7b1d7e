"""`residua bench`: what it measures, says and writes; never how fast anything was."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny import answered, call, refused

from residua.bench import (
    ALL,
    CASES,
    chosen_cases,
    data_loading,
    denormals,
    networks,
    processes,
    scaling,
    table,
    worker,
)
from residua.bench.cases import LAYERS, MEASURES
from residua.bench.harness import Harness, time_both_sides
from residua.bench.networks import RESNET18, RESNET18_SMALL, RESNET20, RESNET50, TINY, VGG16, Convolution
from residua.bench.results import Goal, Result, line
from residua.bench.run import run_bench
from residua.bench.timing import Limits, choose_fastest, time_in_turn
from residua.config import BenchConfig
from residua.data.batches import Batches
from residua.data.preprocessing import Preprocessing
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ConfigError, RunError
from residua.layers.parameters import ZeroGenerator
from residua.variables import count_parameters, flatten

SMALL = Convolution(4, 6, 7, 3, 2, 2)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr("residua.bench.timing.REST_SECONDS", 0.0)
    monkeypatch.setattr("residua.bench.timing.TURN_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def known_peak(monkeypatch):
    """Measured once in a process of its own; here a second that nobody needs."""
    monkeypatch.setattr("residua.bench.harness.sgemm_peak", lambda threads: 1e11)
    monkeypatch.setattr("residua.bench.run.sgemm_peak", lambda threads: 1e11)


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def peer():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from residua.bench import pytorch

    pytorch.use_threads(1)
    return pytorch


def harness_with(peer=None, rounds=1):
    return Harness(NumpyEngine(1), Limits(rounds=rounds), peer)


# ---------------------------------------------------------------- the verb
SMOKE = ["bench", "--cases", "smoke", "--rounds", "2", "--threads", "1", "--engine", "numpy"]
MACHINE = {"system", "processor", "cores"}


def test_without_pytorch_residua_is_timed_alone(capsys, tmp_path, without_torch):
    path = tmp_path / "new" / "figures.json"
    said = answered(capsys, *SMOKE, "--json", path)
    assert "PyTorch is not installed (pip install 'residua[peer]')" in said
    figures = json.loads(path.read_text())
    assert set(figures["machine"]) == MACHINE
    assert {"python", "numpy", "numba", "torch"} <= set(figures["versions"])
    assert (figures["engine"], figures["threads"], figures["clock"]) == ("numpy", 1, "wall time")
    assert figures["sgemm_peak_gflops"] == 100
    assert [row["case"] for row in figures["results"]] == ["smoke", "smoke"]
    for row in figures["results"]:
        assert row["unit"] == "ms"
        assert set(row["sides"]) == {"residua"}
        assert "ratio" not in row
        side = row["sides"]["residua"]
        assert 0 < side["best"] <= side["low"] <= side["median"] <= side["high"]
        assert side["samples"] == 6
        assert "share_of_sgemm_peak" in side
        assert f"residua {side['median']:g} ms" in said


def test_with_pytorch_both_are_timed(capsys, tmp_path, peer):
    path = tmp_path / "figures.json"
    said = answered(capsys, *SMOKE, "--json", path)
    for row in json.loads(path.read_text())["results"]:
        assert set(row["sides"]) == {"residua", "PyTorch"}
        assert row["sides"]["PyTorch"]["mode"] in peer.LAYOUTS
        ratio = row["ratio"]
        assert row["ratio_of"] == "PyTorch / residua"
        medians = [row["sides"][side]["median"] for side in ("PyTorch", "residua")]
        assert ratio["of_medians"] == pytest.approx(medians[0] / medians[1], rel=1e-2)
        assert ratio["of_rounds"]["low"] <= ratio["of_rounds"]["high"]
        assert f"PyTorch / residua {ratio['of_medians']:.2f}" in said


def test_the_fast_engine_runs_too(capsys):
    pytest.importorskip("numba", reason="the fast engine is not installed")
    said = answered(capsys, "bench", "--cases", "smoke", "--rounds", 1, "--threads", 1, "--engine", "numba")
    assert "ResNet-8 of width 4 train step" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cases", "mian"], "there is no case 'mian'. Did you mean 'main'?"),
        (["--cases", "main", "zzz"], "Choose from: all, bare, batches"),
        (["--rounds", "0"], "--rounds takes 1 or more; it was given 0"),
        (["--rounds", "1.5"], "--rounds takes a whole number"),
        (["--seconds", "-1"], "--seconds takes above 0"),
        (["--threads", "0"], "--threads takes 1 or more"),
        (["--json", "/dev/null/figures.json"], "--json takes a file that can be written"),
        (["--json", "/proc"], "--json takes a file that can be written"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(capsys, options, words):
    assert words in refused(capsys, "bench", *options)


def test_the_folder_can_be_run():
    command = [sys.executable, "-m", "residua.bench", "--cases", "mian"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "residua: there is no case 'mian'. Did you mean 'main'?\n"


def test_a_file_is_not_left_behind_by_the_look_at_its_place(capsys, tmp_path, monkeypatch):
    def broken(harness):
        raise RunError("no")
        yield

    monkeypatch.setitem(MEASURES, "smoke", broken)
    path = tmp_path / "figures.json"
    assert call(capsys, *SMOKE, "--json", path)[0] == 2
    assert not path.exists()


def test_every_case_is_described_and_measured():
    assert set(CASES) == set(MEASURES)
    assert chosen_cases(("all",)) == ALL
    assert chosen_cases(("bare", "all", "smoke"))[0] == "bare"
    assert sorted(chosen_cases(("bare", "all", "smoke"))) == sorted(CASES)
    with pytest.raises(ConfigError, match="one or more cases"):
        chosen_cases(())


# ---------------------------------------------------------------- taking workloads
class Pretend:
    """A clock that only these workloads move."""

    def __init__(self):
        self.time, self.calls = 0.0, []

    def __call__(self):
        return self.time

    def turn(self, name, seconds):
        def run():
            self.calls.append(name)
            self.time += seconds

        return run


def test_sides_take_turns_and_the_first_changes_from_round_to_round():
    clock = Pretend()
    workloads = {"a": clock.turn("a", 2e-3), "b": clock.turn("b", 6e-3)}
    found = time_in_turn(workloads, Limits(rounds=3, clock=clock))
    warm_up = ["a"] * 4 + ["b"] * 4
    assert clock.calls == warm_up + [side for order in ("ab", "ba", "ab") for side in order for _ in range(4)]
    assert found["a"] == [pytest.approx([2.0] * 3)] * 3
    assert found["b"] == [pytest.approx([6.0] * 3)] * 3


def test_slow_work_is_timed_once_a_round_and_stops_when_its_time_is_up():
    clock = Pretend()
    found = time_in_turn({"a": clock.turn("a", 5.0)}, Limits(rounds=4, seconds=1e-12, clock=clock))
    assert found == {"a": [[5000.0]]}


def test_the_faster_mode_races():
    clock = Pretend()
    built = []

    def build(name, seconds):
        built.append(name)
        return clock.turn(name, seconds)

    modes = {
        name: lambda name=name, seconds=seconds: build(name, seconds)
        for name, seconds in (("slow", 3.0), ("fast", 1.0), ("middling", 2.0))
    }
    name, turn = choose_fastest(modes, Limits(clock=clock))
    turn()
    assert (name, clock.calls[-1], built) == ("fast", "fast", ["slow", "fast", "middling"])


def test_medians_spread_ratio_and_goal():
    samples = {"residua": [[1.0, 2.0], [3.0, 2.0]], "PyTorch": [[6.0, 5.0], [4.0, 6.0]]}
    result = Result("main", "work", 2, "ms", samples, goal=Goal(">=", 3.0), flops=1e8, peak=1e11)
    row = result.row()
    assert row["sides"]["residua"] | {"low": 0, "high": 0} == {
        "median": 2.0, "low": 0, "high": 0, "best": 1.0, "samples": 4, "share_of_sgemm_peak": 0.5,
    }  # fmt: skip
    assert row["ratio"]["of_medians"] == 2.75
    assert row["ratio"]["of_best"] == 4.0
    assert row["ratio"]["of_rounds"]["median"] == 3.5  # 5 / 1 and 4 / 2
    assert (row["to_reach"], row["reached"]) == (">= 3", False)
    assert "to reach >= 3: no" in line(row)
    assert replace(result, goal=Goal(">=", 2.7)).row()["reached"]
    assert not replace(result, goal=Goal("<", 2.75)).row()["reached"]
    assert replace(result, goal=Goal("<=", 2.0, "residua")).row()["reached"]
    alone = replace(result, samples={"residua": [[1.0]]}).row()
    assert "ratio" not in alone
    assert alone["reached"] is None


# ---------------------------------------------------------------- both sides do the same work
def shrunk(network, **options):
    """The network with few channels."""
    return replace(network, options={**network.options, **options})


@pytest.mark.parametrize(
    "network",
    [
        RESNET20,
        shrunk(RESNET18_SMALL, width=8),
        replace(shrunk(RESNET18, width=8), size=64),
        replace(shrunk(RESNET50, width=8), size=64),
        # One pixel is left before the matrices, whose rows lie in another order otherwise.
        replace(shrunk(VGG16, width=8, hidden=(32, 16), size=(32, 32)), size=32),
    ],
    ids=lambda network: network.title,
)
def test_the_peer_builds_the_same_networks(engine, peer, network):
    import torch

    from residua.bench.pytorch_networks import BUILDERS, load

    layers = network.build()
    variables = layers.init(np.random.default_rng(1))
    theirs = BUILDERS[network.builder.__name__](**network.options, classes=network.classes)
    load(theirs, variables).eval()
    pictures, _ = networks.random_batch(network, 2)
    frozen, frozen_variables = layers.freeze(variables)
    ours = frozen.infer(engine, frozen_variables, pictures)
    with torch.inference_mode():
        wanted = theirs(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())).numpy()
    assert ours.shape == (2, network.classes)
    assert np.abs(ours - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("network", [RESNET18_SMALL, RESNET18, RESNET50, VGG16], ids=lambda n: n.title)
def test_the_peer_has_as_many_parameters(peer, network):
    import torch

    from residua.bench.pytorch_networks import BUILDERS

    with torch.device("meta"):
        theirs = BUILDERS[network.builder.__name__](**network.options, classes=network.classes)
    ours = network.build().init(ZeroGenerator())
    assert sum(parameter.numel() for parameter in theirs.parameters()) == count_parameters(ours)


def test_both_sides_take_the_same_steps(peer):
    variables = TINY.build().init(np.random.default_rng(2))
    pictures, labels = networks.random_batch(TINY, 8)
    take = networks.TrainStepper(NumpyEngine(1), TINY.build(), networks.OPTIONS, variables)
    for layout in peer.LAYOUTS:
        theirs = peer.train_step(TINY, pictures, labels, layout, variables, rate=0.05)
        wanted = [theirs() for _ in range(5)]
        if not take.pictures:
            sums = np.cumsum([0, *wanted])
            for number in range(1, 6):
                assert take(pictures, labels, 0.05) == pytest.approx(sums[number] / number, rel=1e-4)
            assert wanted[-1] != pytest.approx(wanted[0], rel=1e-2)
        else:
            assert wanted[0] == pytest.approx(sums[1], rel=1e-4)


def test_steps_leave_the_callers_variables_alone():
    variables = TINY.build().init(np.random.default_rng(2))
    before = {name: array.copy() for name, array in flatten(variables).items()}
    networks.train_step(NumpyEngine(1), TINY, *networks.random_batch(TINY, 4), variables, 0.1)()
    assert all(np.array_equal(before[name], array) for name, array in flatten(variables).items())


def test_both_sides_convolve_alike(engine, peer):
    x, weight, dy = SMALL.arrays()
    y, _, _ = networks.convolution(engine, SMALL, x, weight, dy)()
    for layout in peer.LAYOUTS:
        wanted = peer.convolution(SMALL, x, weight, dy, layout)()
        np.testing.assert_allclose(y, wanted.detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_pictures_of_three_channels_get_no_gradient(engine):
    stem = Convolution(3, 4, 8, 7, 2, 2)
    assert len(networks.convolution(engine, stem, *stem.arrays())()) == 2
    assert stem.flops == 2 * 2 * 2 * 4 * 4 * 49 * 3 * 4
    assert {layer.out for layer in LAYERS} == {4, 8, 14, 16, 27, 32, 56, 112}


# ---------------------------------------------------------------- single cases
def test_the_loader_goes_on_from_epoch_to_epoch_in_whole_batches():
    pictures = data_loading.random_pictures(24, 8)
    batches = Batches(pictures, Preprocessing.measure(pictures.images), None, 8, seed=0)
    stream = data_loading.endless_batches(batches)
    found = [next(stream) for _ in range(7)]
    stream.close()
    assert [progress for progress, _ in found] == pytest.approx([n / 3 for n in range(7)])
    assert {len(batch.labels) for _, batch in found} == {8}
    for epoch in (found[:3], found[3:6]):
        assert sorted(np.concatenate([batch.indices for _, batch in epoch])) == list(range(24))


def test_real_pictures_are_taken_where_they_are(monkeypatch, tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path))
    real = SimpleNamespace(read=lambda split: data_loading.random_pictures({"train": 300}[split], 32))
    monkeypatch.setattr(data_loading, "open_dataset", lambda options, seed: {"cifar10": real}[options.data])
    pictures, what = data_loading.training_pictures(128)
    assert (what, len(pictures)) == ("CIFAR-10's pictures", 256)


def test_random_pictures_stand_in_for_real_ones(monkeypatch):
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    monkeypatch.setattr(data_loading, "SPLIT", 300)
    pictures, what = data_loading.training_pictures(128)
    assert what == "random pictures"
    assert pictures.images.shape == (256, 32, 32, 3)


def test_worn_weights_keep_a_network_full_of_denormals(engine):
    layers, variables = TINY.build(), denormals.worn(TINY)
    tiny = np.finfo(np.float32).tiny
    x = networks.random_batch(TINY, 8)[0] * denormals.TINY
    for name, layer in layers.layers.items():
        x = layer.forward(engine, variables[name], x)[0]
        if name == "head":
            break
        numbers = np.abs(x[x != 0])
        assert len(numbers) > 0.2 * x.size, name
        assert (numbers < tiny).mean() > 0.9, name
    assert ((variables["stem"]["conv"]["weight"] != 0).mean(), np.isfinite(x).all()) == (1.0, True)


@pytest.mark.parametrize("peer_too", [False, True])
def test_denormals_are_held_against_ordinary_numbers(monkeypatch, request, peer_too):
    monkeypatch.setattr(denormals, "LAYER", SMALL)
    found = list(
        denormals.measure(harness_with(request.getfixturevalue("peer") if peer_too else None), TINY, 8)
    )
    sides = ["residua", "PyTorch"] if peer_too else ["residua"]
    assert len(found) == 3 * len(sides)
    for number, result in enumerate(found):
        row = result.row()
        assert set(row["sides"]) == {"ordinary", "denormals"}
        assert row["ratio_of"] == "denormals / ordinary"
        assert f": {sides[number % len(sides)]}" in row["work"]
        assert row.get("to_reach") == ("< 1.2" if sides[number % len(sides)] == "residua" else None)


class Stand:
    """In PyTorch's place; remembers how many threads it was told to use."""

    LAYOUTS = ("one", "other")

    def __init__(self):
        self.threads = []

    def use_threads(self, threads):
        self.threads.append(threads)

    def with_threads(self, threads, turn):
        return lambda: (self.use_threads(threads), turn())

    def train_step(self, network, pictures, labels, layout):
        return lambda: None


def test_scaling_compares_one_thread_with_two():
    peer = Stand()
    ours, theirs = (result.row() for result in scaling.measure(harness_with(peer), TINY, 8))
    assert ours["ratio_of"] == theirs["ratio_of"] == "1 thread / 2 threads"
    assert (ours["to_reach"], theirs.get("to_reach")) == (">= 1.7", None)
    assert theirs["work"].startswith("ResNet-8 of width 4 train step, batch 8: PyTorch o")
    assert (peer.threads[0], set(peer.threads), peer.threads[-1]) == (2, {1, 2}, 1)


def test_the_peer_is_told_its_threads(peer):
    import torch

    assert peer.with_threads(2, torch.get_num_threads)() == 2
    assert peer.with_threads(1, torch.get_num_threads)() == 1


def test_processes_tell_their_memory_and_their_start(monkeypatch):
    monkeypatch.setattr(processes, "STEPS", 1)
    harness = harness_with()
    run = processes.run_process(harness, 1, "numpy")
    assert run.seconds > 0
    assert run.memory > 50
    monkeypatch.setattr(processes, "run_process", lambda *arguments: run)
    (memory,) = (result.row() for result in processes.measure_memory(harness))
    assert memory["sides"]["residua"]["median"] == pytest.approx(run.memory, rel=1e-3)
    (warm,) = (result.row() for result in processes.measure_startup(harness))
    assert (warm["unit"], warm["to_reach"]) == ("s", "<= 2 s")


@pytest.mark.parametrize("how", ["numpy", "contiguous"])
def test_what_a_process_does(monkeypatch, request, capsys, how):
    if how != "numpy":
        request.getfixturevalue("peer")
    monkeypatch.setattr(worker, "NETWORK", TINY)
    monkeypatch.setattr(worker, "BATCH", 4)
    worker.train_steps(1, 2, how)
    first, memory = capsys.readouterr().out.splitlines()
    assert first == "the first step is done"
    assert float(memory) > 50


def test_compiling_starts_from_an_empty_cache(monkeypatch):
    folders = []

    def run_process(harness, steps, how, environment):
        folders.append(environment["RESIDUA_KERNEL_CACHE"])
        return processes.ProcessRun(3.0, 100.0)

    monkeypatch.setattr(processes, "run_process", run_process)
    harness = harness_with(rounds=5)
    monkeypatch.setattr(NumpyEngine, "name", "numba")
    cold, warm = (result.row() for result in processes.measure_startup(harness))
    assert len(set(folders[:3])) == 3
    assert folders[3:] == folders[:1] * 5
    assert (cold["to_reach"], cold["reached"]) == ("<= 20 s", True)
    assert (warm["to_reach"], warm["reached"]) == ("<= 2 s", False)


def test_a_process_that_fails_is_told_in_one_line():
    with pytest.raises(RunError, match=r"ended with code 1: ValueError: .*'many'") as caught:
        processes.run_process(harness_with(), "many", "numpy")
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- tables
@pytest.fixture
def figures(monkeypatch):
    def measure(harness):
        yield time_both_sides(harness, "smoke", "Work one", 1e8, lambda: None, {}, Goal(">=", 3.0))
        both = {"residua": [[2.0]], "PyTorch": [[5.0]]}
        yield Result("smoke", "Work two", 1, "ms", both, goal=Goal(">=", 3.0))
        yield Result("smoke", "Work three", 1, "ms", {"one": [[4.0]], "two": [[2.0]]}, over=("one", "two"))

    monkeypatch.setitem(MEASURES, "smoke", measure)
    return run_bench(BenchConfig(cases=("smoke",), engine="numpy", threads=1), say=lambda text: None)


def test_figures_become_tables(figures):
    lines = table.table(figures).splitlines()
    assert lines[2].startswith("| work | residua | PyTorch | PyTorch / residua | to reach |")
    assert lines[4].startswith("| Work one | ")
    assert " ms (" in lines[4]
    assert lines[4].split("|")[3:6] == ["  ", "  ", " >= 3 "]
    assert lines[5].startswith(
        "| Work two | 2 ms (2 to 2) | 5 ms (5 to 5) | 2.50 (2.50 to 2.50) | >= 3: **missed** |"
    )
    assert lines[7] == "| work | one | two | one / two | to reach |"
    assert lines[9] == "| Work three | 4 ms (4 to 4) | 2 ms (2 to 2) | 2.00 (2.00 to 2.00) |  |"
    columns = {line.count("|") for line in lines[2:6]}
    assert len(columns) == 1


def test_tables_go_into_a_document_in_one_step(figures, tmp_path, capsys):
    path, document = tmp_path / "figures.json", tmp_path / "page.md"
    path.write_text(json.dumps(figures))
    document.write_text(f"Before.\n\n{table.BEGIN}\nold\n{table.END}\n\nAfter.\n")
    table.main([str(path), "--into", str(document)])
    written = document.read_text()
    assert written.startswith(f"Before.\n\n{table.BEGIN}\n\n")
    assert written.endswith(f"\n{table.END}\n\nAfter.\n")
    assert "old" not in written
    assert table.table(figures) in written
    table.main([str(path), "--into", str(document)])
    assert document.read_text() == written
    table.main([str(path)])
    assert capsys.readouterr().out == table.table(figures)


@pytest.mark.parametrize(
    ("content", "words"), [("{", "is no JSON file"), ("[]", "holds no figures"), (None, "cannot read")]
)
def test_files_that_hold_no_figures_are_refused(tmp_path, content, words):
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        table.main([str(path)])


def test_a_document_needs_its_marks():
    with pytest.raises(ConfigError, match="the tables go between them"):
        table.paste("no marks", "tables")
    with pytest.raises(ConfigError, match="document after --into"):
        table.main(["x.json", "--into"])
