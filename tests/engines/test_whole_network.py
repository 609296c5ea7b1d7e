"""Whole networks: PyTorch's losses and gradients on real pictures, and twenty recorded steps.

The recorded losses change only on purpose: `python tests/test_whole_network.py` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from residua.config import ModelOptions, OptimizerOptions
from residua.engines.numpy.engine import NumpyEngine
from residua.models import build_model
from residua.models.architectures.small_resnet import small_resnet
from residua.testing.arrays import cast, distance
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import flatten, merge

GOLDEN = Path(__file__).parents[1] / "golden" / "twenty_steps.json"
# In float32 rounding decides the sign of a few of ResNet-20's three million ReLU inputs, differently in
# PyTorch and here: either is as far from float64. Forward that hardly shows; gradients jump.
PRECISIONS = [
    pytest.param(np.float64, 1e-10, 1e-10, id="float64"),
    pytest.param(np.float32, 1e-4, 2e-2, id="float32"),
]


def peer_resnet(torch, depth, shortcut):
    """He et al. 2015, section 4.2, written in PyTorch without a look at our layers."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(after)
            self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(after)
            self.grows = before != after
            if self.grows and shortcut == "B":
                self.conv3 = nn.Conv2d(before, after, 1, stride, bias=False)
                self.bn3 = nn.BatchNorm2d(after)

        def forward(self, x):
            y = functional.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            if self.grows and shortcut == "B":
                x = self.bn3(self.conv3(x))
            elif self.grows:
                quarter = x.shape[1] // 2
                x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter))
            return functional.relu(x + y)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            self.blocks, before = nn.ModuleList(), 16
            for after in (16, 32, 64):
                for number in range((depth - 2) // 6):
                    self.blocks.append(Block(before, after, 2 if before != after and not number else 1))
                    before = after
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            x = functional.relu(self.bn1(self.conv1(x)))
            for block in self.blocks:
                x = block(x)
            return self.head(x.mean(dim=(2, 3)))

        def parts(self):
            """Our path -> convolution or normalisation."""
            yield "stem", self.conv1, self.bn1
            each = len(self.blocks) // 3
            for number, block in enumerate(self.blocks):
                path = f"stage{number // each + 1}.{number % each}"
                yield f"{path}.body.conv1", block.conv1, block.bn1
                yield f"{path}.body.conv2", block.conv2, block.bn2
                if hasattr(block, "conv3"):
                    yield f"{path}.shortcut", block.conv3, block.bn3

    return Network()


def copy_weights(torch, module, variables):
    flat = flatten(variables)

    def tensor(array):
        return torch.tensor(np.ascontiguousarray(array))

    for path, conv, norm in module.parts():
        conv.weight.data = tensor(flat[f"{path}.conv.weight"].transpose(3, 2, 0, 1))
        norm.weight.data, norm.bias.data = (tensor(flat[f"{path}.norm.{n}"]) for n in ("weight", "bias"))
        norm.running_mean.data = tensor(flat[f"{path}.norm.running_mean"])
        norm.running_var.data = tensor(flat[f"{path}.norm.running_var"])
    module.head.weight.data, module.head.bias.data = tensor(flat["head.weight"].T), tensor(flat["head.bias"])


def gradients(module):
    grads = {"head.weight": module.head.weight.grad.numpy().T, "head.bias": module.head.bias.grad.numpy()}
    for path, conv, norm in module.parts():
        grads[f"{path}.conv.weight"] = conv.weight.grad.numpy().transpose(2, 3, 1, 0)
        grads[f"{path}.norm.weight"] = norm.weight.grad.numpy()
        grads[f"{path}.norm.bias"] = norm.bias.grad.numpy()
    return grads


def relative(a, b):
    """The norm of the difference by the norm: one flipped ReLU in float32 is no error of the whole."""
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))


@pytest.fixture(scope="session")
def real_pictures(cifar_batch):
    pictures, labels = cifar_batch
    return (pictures[:16] / 255.0 - 0.47) / 0.25, labels[:16]


@pytest.mark.parametrize(("dtype", "tolerance", "gradient_tolerance"), PRECISIONS)
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_resnet20_agrees_with_pytorch(engine, real_pictures, shortcut, dtype, tolerance, gradient_tolerance):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
    torch.set_num_threads(1)  # two libraries' threads would wait for each other's cores
    network = build_model(ModelOptions(model="resnet20", shortcut=shortcut), channels=3, classes=10)
    v = cast(network.init(np.random.default_rng(1)), dtype)
    x, labels = real_pictures[0].astype(dtype), real_pictures[1]
    module = peer_resnet(torch, 20, shortcut)
    copy_weights(torch, module, v)
    peer_x = torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))

    logits, saved, stats = network.forward(engine, v, x)
    loss, dlogits = engine.softmax_cross_entropy(logits, labels)
    _, grads = network.backward(engine, v, saved, dlogits)
    peer_loss = torch.nn.functional.cross_entropy(module(peer_x), torch.tensor(labels, dtype=torch.int64))
    peer_loss.backward()

    assert abs(loss - peer_loss.item()) <= min(tolerance, 1e-5) * peer_loss.item()
    wanted, got = gradients(module), flatten(grads)
    assert set(got) == set(wanted)
    for path, gradient in got.items():
        assert gradient.dtype == dtype
        assert relative(gradient, wanted[path]) < gradient_tolerance, path
    new = flatten(stats)
    assert len(new) == 2 * sum(1 for _ in module.parts())
    for path, _, norm in module.parts():
        assert relative(new[f"{path}.norm.running_mean"], norm.running_mean.numpy()) < tolerance, path
        assert relative(new[f"{path}.norm.running_var"], norm.running_var.numpy()) < tolerance, path

    # Inference, with statistics that both have by now.
    v = merge(v, stats)
    frozen, frozen_v = network.freeze(v)
    with torch.no_grad():
        peer_logits = module.eval()(peer_x).numpy()
    assert distance(frozen.infer(engine, frozen_v, x), peer_logits) < tolerance
    assert frozen.infer(engine, frozen_v, x).dtype == dtype


def twenty_losses(engine, optimizer):
    """A small network learns three kinds of stripes."""
    rng = np.random.default_rng(20)
    network = small_resnet(depth=8, width=4, classes=3)
    options = OptimizerOptions(optimizer=optimizer)
    state = start_state(network.init(rng), make_optimizer(options), options.average)
    step = make_step(network, engine, options)
    rows, columns = np.mgrid[:12, :12]
    stripes = np.stack([np.sin(rows), np.sin(columns), np.sin(rows + columns)])
    losses = []
    for _ in range(20):
        labels = rng.integers(0, 3, 16)
        noise = rng.normal(size=(16, 12, 12, 3))
        images = (stripes[labels][..., None] + 0.5 * noise).astype(np.float32)
        state, results = step(state, images, labels, None, 0.02)
        losses.append(float(engine.plain(results["loss"])))
    return losses


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_twenty_recorded_steps(engine, optimizer):
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))[optimizer]
    losses = twenty_losses(engine, optimizer)
    assert losses == pytest.approx(recorded, rel=1e-4)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_training_twice_gives_the_same_numbers(engine):
    assert twenty_losses(engine, "sgd") == twenty_losses(engine, "sgd")


if __name__ == "__main__":
    losses = {name: twenty_losses(NumpyEngine(), name) for name in ("sgd", "adamw")}
    GOLDEN.write_text(json.dumps(losses, indent=1) + "\n", encoding="utf-8")
