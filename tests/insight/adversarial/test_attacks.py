"""Attacks: gradients by pixels as PyTorch has them, changes inside their balls, the least that is enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import residua
from residua.api import import_weights
from residua.config import EvaluateConfig, FoolConfig
from residua.engines import installed, open_engine
from residua.engines.numpy.engine import NumpyEngine
from residua.insight.adversarial.attacks import Attack, attack, distance, reached, settle, smallest
from residua.insight.adversarial.noise import fool_from_noise
from residua.insight.adversarial.robustness import robust_accuracy
from residua.insight.adversarial.text import robustness_text
from residua.insight.evaluation.predictions import predict_split
from residua.insight.shared.objectives import cross_entropy
from residua.insight.shared.scorer import Scorer
from residua.models.ensemble import join_models

pytestmark = pytest.mark.usefixtures("quiet_cache")
BOTH = ["numpy", pytest.param("numba", marks=pytest.mark.exhaustive)]  # many kernels, for wide layers


@pytest.fixture(scope="module")
def published(data_dir, tmp_path_factory):
    """ResNet-20 with its published weights, on CIFAR-10."""
    path = data_dir / "weights" / "cifar10-resnets" / "resnet20-12fca82f.th"
    if not path.exists():
        pytest.skip("the published weights are not in RESIDUA_DATA")
    folder = tmp_path_factory.mktemp("published")
    return import_weights(path, classes="cifar10", output=str(folder / "r20.safetensors"))[1]


@pytest.fixture(scope="module")
def seen(trained):
    """The tiny network of red and blue pictures, with eight of them."""
    model = residua.load_model(trained / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(trained / "user-cache"))
        answers = predict_split(
            model, EvaluateConfig(data=str(trained / "pics"), split="train"), lambda line: None, 8
        )
    return Scorer.of_logits(model, NumpyEngine(1)), answers


@pytest.mark.parametrize("engine", BOTH)
def test_the_fast_gradient_sign_is_that_of_pytorch(engine, published, data_dir, cifar_batch):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    from residua.bench.pytorch_networks import small_resnet

    if not installed(engine):
        pytest.skip("numba is not installed")
    images, labels = cifar_batch[0][:6], cifar_batch[1][:6].astype(np.int64)
    path = data_dir / "weights" / "cifar10-resnets" / "resnet20-12fca82f.th"
    weights = torch.load(path, weights_only=True, map_location="cpu")["state_dict"]
    peer = small_resnet(20)
    weights = [value for name, value in weights.items() if "num_batches" not in name]
    names = [name for name in peer.state_dict() if "num_batches" not in name]
    peer.load_state_dict(dict(zip(names, weights, strict=True)), strict=False)
    peer = peer.double().eval()
    pixels = torch.tensor(images.astype(np.float64).transpose(0, 3, 1, 2), requires_grad=True)
    shape = published.preprocessing
    mean, std = (torch.tensor(values)[:, None, None] for values in (shape.mean, shape.std))
    logits = peer((pixels / 255 - mean) / std)
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels), reduction="sum").backward()
    own = torch.softmax(logits, 1)[range(6), labels].detach().numpy()
    theirs = pixels.grad.numpy().transpose(0, 2, 3, 1) / (1 - own)[:, None, None, None]

    scorer = Scorer.of_logits(published, open_engine(engine, threads=1))
    found, ours = scorer.pixel_gradient(images, labels, cross_entropy)
    np.testing.assert_allclose(found, logits.detach().numpy(), atol=1e-3)
    most = np.abs(theirs).max(axis=(1, 2, 3), keepdims=True)
    # PyTorch computes in float64 here: a ReLU whose input is almost 0 may be on for one, off for the other.
    error = np.abs(ours - theirs) / most
    assert (error > 1e-3).mean() < 0.01
    assert error.max() < 0.03
    clear = np.abs(theirs) > 3e-3 * most  # ties and near ties are rounding's to decide
    assert clear.mean() > 0.9
    attacked = attack(scorer, images, labels, np.full(6, 3.0), Attack("fgsm"))
    wanted = np.clip(images + 3 * np.sign(theirs), 0, 255)
    moved = clear & (distance(attacked.pictures - images, "inf") > 0)[:, None, None, None]
    assert moved.any(axis=(1, 2, 3)).sum() >= 4
    assert (attacked.pictures[moved] != wanted[moved]).mean() < 1e-3
    strong = moved & (np.abs(theirs) > 0.03 * most)
    np.testing.assert_array_equal(attacked.pictures[strong], wanted[strong])


# ---------------------------------------------------------------- balls
@pytest.mark.sample(1, by="method")
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("norm", ["inf", "l2"])
@pytest.mark.parametrize("method", ["fgsm", "iterated", "pgd"])
def test_changes_stay_inside_their_balls_and_pictures(method, norm, whole, seen):
    scorer, answers = seen
    images = np.asarray(answers.pictures.images)
    labels, count = answers.chosen, len(answers)
    sizes = np.linspace(0.5, 90 if norm == "inf" else 1200, count)
    how = Attack(method, norm, steps=8, whole=whole)
    for targeted in (False, True):
        wanted = 1 - labels if targeted else labels
        found = attack(scorer, images, wanted, sizes, how, targeted)
        assert (distance(found.pictures - images, norm) <= sizes * (1 + 1e-5) + 1e-4).all()
        assert found.pictures.min() >= 0
        assert found.pictures.max() <= 255
        if whole:
            np.testing.assert_array_equal(found.pictures, np.rint(found.pictures))
        said = scorer.pixel_probabilities(found.pictures).argmax(axis=1)
        np.testing.assert_array_equal((said == wanted) == targeted, found.fooled)
        again = attack(scorer, images[2:3], wanted[2:3], sizes[2:3], how, targeted)
        np.testing.assert_allclose(again.pictures[0], found.pictures[2], atol=1e-3)


def test_rounding_keeps_what_matters_most_inside_the_ball():
    origin = np.full((1, 8, 8, 1), 100, np.float32)
    change = np.linspace(0.01, 0.49, 64, dtype=np.float32).reshape(1, 8, 8, 1)
    found = settle(origin, change, np.array([2.0]), Attack(norm="l2")) - origin
    assert set(np.unique(found)) == {0, 1}
    assert found.sum() == 4  # the root of four ones is 2
    assert (found.ravel()[-4:] == 1).all()
    none = settle(origin, change, np.array([0.5]), Attack(norm="l2"))
    np.testing.assert_array_equal(none, origin)
    weak = settle(origin, 0.5 * change, np.array([2.0]), Attack(norm="l2")) - origin
    assert weak.sum() == 1  # no larger than the change itself, whose root is 1.13
    small = settle(origin, 3 * change, np.array([0.4]), Attack(norm="inf"))
    np.testing.assert_array_equal(small, origin)


def test_what_counts_as_reached():
    logits = np.array([[2, 0, 0], [0, 0, 2], [1, 1, 0]], np.float32)
    labels = np.array([0, 0, 0])
    assert reached(logits, labels, True, Attack()).tolist() == [True, False, False]
    assert reached(logits, labels, False, Attack()).tolist() == [False, True, False]
    assert reached(logits, labels, True, Attack(confidence=0.78)).tolist() == [True, False, False]
    assert not reached(logits, labels, True, Attack(confidence=0.79)).any()
    assert not reached(logits, labels, False, Attack(margin=2.1)).any()


# ---------------------------------------------------------------- the least that is enough
@pytest.mark.sample(1)
@pytest.mark.parametrize(("norm", "whole"), [("inf", True), ("l2", True), ("inf", False)])
def test_the_least_found_is_minimal(norm, whole, seen):
    scorer, answers = seen
    images, labels = np.asarray(answers.pictures.images), answers.chosen
    how = Attack("pgd", norm, steps=20, whole=whole)
    most = 200.0 if norm == "inf" else 200 * images[0].size ** 0.5
    found = smallest(scorer, images, labels, most, how)
    assert found.fooled.all()
    assert (found.below > 0).all()
    assert (distance(found.pictures - images, norm) <= found.sizes * (1 + 1e-5)).all()
    if norm == "inf" and whole:
        np.testing.assert_array_equal(found.sizes - found.below, 1)
    else:
        assert (found.sizes <= 1.02 * found.below).all()
    assert attack(scorer, images, labels, found.sizes, how).fooled.all()
    assert not attack(scorer, images, labels, found.below, how).fooled.any()
    # What fools as it is needs nothing; what the bound does not suffice for is told.
    free = smallest(scorer, images, 1 - labels, most, how)
    assert free.fooled.all()
    assert (free.sizes == 0).all()
    np.testing.assert_array_equal(free.pictures, images)
    bound = float(found.below.min())
    short = smallest(scorer, images, labels, bound, how)
    assert not short.fooled.any()
    assert (short.sizes == (int(bound) if norm == "inf" and whole else bound)).all()


def test_networks_that_give_probabilities_and_votes(seen):
    scorer, answers = seen
    images, labels = np.asarray(answers.pictures.images)[:3], answers.chosen[:3]
    for method in ("mean", "vote"):
        joined = join_models([scorer.model] * 2, ["a", "b"])
        joined = replace(joined, network=replace(joined.network, method=method))
        found = smallest(Scorer.of_logits(joined, NumpyEngine(1)), images, labels, 200.0, Attack(steps=10))
        assert found.fooled.all(), method
        said = Scorer.of_logits(joined, NumpyEngine(1)).pixel_probabilities(found.pictures).argmax(axis=1)
        assert (said != labels).all()


# ---------------------------------------------------------------- real pictures
@pytest.mark.parametrize("engine", BOTH)
def test_robust_accuracy_falls_and_random_signs_are_harmless(engine, published, data_dir):
    if not installed(engine):
        pytest.skip("numba is not installed")
    config = EvaluateConfig(data="cifar10", data_dir=str(data_dir), engine=engine, threads=1)
    count = 32 if engine == "numba" else 12
    answers = predict_split(published, config, lambda line: None, count)
    scorer = Scorer.of_logits(published, open_engine(engine, threads=1))
    found = robust_accuracy(answers, scorer, [2, 0.5, 1], steps=5)
    assert found.sizes == (0.5, 1, 2)
    assert found.clean == (answers.chosen == answers.labels).sum()
    pgd = [found.clean, *found.right["pgd"]]
    assert pgd == sorted(pgd, reverse=True)
    assert pgd[-1] <= 2
    assert all(many <= one for many, one in zip(found.right["pgd"], found.right["fgsm"], strict=True))
    assert min(found.right["random"]) >= found.clean - 2
    low, high = found.interval(found.clean)
    assert low < found.clean / count < high
    told = found.to_dict()
    assert told["clean"]["right"] == found.clean
    assert [row["size"] for row in told["curve"]] == [0.5, 1, 2]
    assert f"unchanged: {100 * found.clean / count:.2f} %" in robustness_text(found)


def test_noise_is_seen_as_all_ten_classes(published):
    found = fool_from_noise(published, FoolConfig(threads=1))
    assert found.reached == 10
    assert min(found.shares) >= 0.99
    assert (found.probabilities.argmax(axis=1) == range(10)).all()
    assert (found.start[np.arange(10), found.classes] < 0.99).sum() >= 8
