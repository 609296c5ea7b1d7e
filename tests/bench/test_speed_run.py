"""The recipe for 94 %: both sides take the same steps, all its parts together."""

from __future__ import annotations

import importlib.util
from dataclasses import is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from bench_harness import harness_with

from residua.bench import cases, data_loading, speed_run
from residua.bench.speed_run import NETWORK, Stepper, first_variables, make_rates
from residua.cli import app
from residua.data import Preprocessing
from residua.engines import open_engine
from residua.experiments.catalogue import find_experiment
from residua.training.whitening import whiten
from residua.variables import flatten


def narrow(width):
    return replace(NETWORK, options={"width": width})


def material(count=6):
    split = data_loading.random_pictures(count, 32)
    return split, (split.images / 255.0 - 0.5).astype(np.float32)


@pytest.mark.parametrize(
    ("engine", "width"), [("numpy", 4), pytest.param("numba", 16, marks=pytest.mark.exhaustive)]
)
def test_every_part_of_the_recipe_is_pytorchs(peer, engine, width):
    """Six steps, Lookahead's fifth among them, from the same variables on the same pictures."""
    import torch

    from residua.bench import pytorch_speed_run as theirs

    if engine == "numba":
        pytest.importorskip("numba")
    layers = narrow(width).build()
    split, pictures = material()
    variables = first_variables(layers, split.images)
    network = theirs.load(theirs.airbench94(width), variables)
    ours, other = Stepper(open_engine(engine), layers, variables, 12), theirs.Stepper(network, 12)
    x, t = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()), torch.from_numpy(split.labels)
    rates = make_rates()
    losses = []
    for number in range(6):
        rate = 0.05 * rates.rate(number / 4, rates.start())
        losses.append((ours(pictures, split.labels, rate), other(x, t, rate)))
    mine, their = zip(*losses, strict=True)
    np.testing.assert_allclose(mine, their, rtol=2e-3)
    assert len(set(mine)) == 6
    found = flatten(ours._state["variables"])
    again = theirs.load(theirs.airbench94(width), ours._state["variables"])
    wanted = dict(network.named_parameters())
    for name, parameter in again.named_parameters():
        moved = (wanted[name] - parameter).abs().max()
        assert moved < 0.02 * wanted[name].abs().max() + 1e-4, (name, found.keys())


def test_pictures_are_moved_and_mirrored_as_tensors(peer):
    import torch

    from residua.bench.pytorch_speed_run import vary

    one = torch.arange(64, dtype=torch.float32).view(1, 1, 8, 8).repeat(200, 1, 1, 1)
    mirrored = torch.arange(200) % 2 == 0
    found = vary(one, mirrored)
    straight = torch.where(mirrored.view(-1, 1, 1, 1), found.flip(-1), found)
    inner = {int(corner) for corner in straight[:, 0, 3, 3]}
    assert inner == {8 * row + column for row in range(1, 6) for column in range(1, 6)}
    assert float(found.min()) >= 0


def test_the_case_times_both_sides(peer, monkeypatch):
    monkeypatch.setattr(data_loading, "SPLIT", 16)
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    row = cases.recipe(harness_with(peer), narrow(2), 8).row()
    assert set(row["sides"]) == {"residua", "PyTorch"}
    assert row["to_reach"] == ">= 2.3"
    assert "batch 8, with augmentation of random pictures" in row["work"]
    assert speed_run.BATCH == 1024


def load_script():
    path = Path(__file__).parents[2] / "benchmarks" / "speed_run_torch.py"
    script = importlib.util.module_from_spec(importlib.util.spec_from_file_location("speed_run_torch", path))
    script.__spec__.loader.exec_module(script)
    return script


def test_the_whole_recipe_in_pytorch_learns_and_judges_slow_weights(peer, capsys, monkeypatch):
    import torch

    script = load_script()
    monkeypatch.setattr(script, "RECIPE", replace(script.RECIPE, rate=0.1))  # so few pictures bear no more
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    images = (rng.integers(0, 90, (48, 32, 32, 3)) + 120 * labels[:, None, None, None]).astype(np.uint8)
    shape = Preprocessing.measure(images)
    network = script.layers(width=4)
    variables = whiten(network, network.init(np.random.default_rng(0)), images, shape)
    model = script.load(script.airbench94(4), variables)
    biases = [model[0].bias.detach().clone()]
    split = script.Split(images, labels, shape)
    steps = script.count_steps(4.5, 48, 16)
    trained = script.train(model, split, steps, 16, "contiguous")
    assert trained.done == steps == 14  # four epochs of three batches, and the two that show 24 pictures
    assert not model[0].bias.requires_grad  # since the fourth epoch
    assert not torch.equal(model[0].bias, biases[0])
    losses = [float(line.split()[3]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 5
    assert losses[-1] < losses[0]
    model.load_state_dict(trained.slow)
    plain, views = script.accuracies(model, split, "contiguous")
    with torch.inference_mode():
        assert plain == float((model.eval()(split.x).argmax(1) == split.t).float().mean())
    assert 0 <= views <= 1


def test_the_experiment_takes_as_many_steps_as_the_script_for_published_epochs(peer):
    script, experiment = load_script(), find_experiment("speed-run")
    steps = script.count_steps(9.9, 50_000, 1024)
    assert steps == experiment.options["total_steps"] == 485
    assert script.count_steps(1, 50_000, 1024) == 49
    assert script.count_steps(9.9, 49_152, 1024) == 476  # as the published program counts, by whole batches
    words = script.residua_command(script.read_options(["--seed", "3"]), steps).split()[1:]
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    told = {}
    for section in bound.arguments.values():
        told |= vars(section) if is_dataclass(section) else {}
    told["data"] = bound.arguments["data"]
    assert {name: told[name] for name in experiment.options} == experiment.options
    assert told["seed"] == 3
