"""The recipe that takes CIFAR-10 to 94 % in PyTorch, as its author trains it, on a CPU; imports PyTorch.

Written after Jordan 2024, arXiv 2404.00498: pictures padded by their mirror image, cut and mirrored as
tensors, all of a batch at once.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from residua.bench.pytorch_networks import LAYOUTS, turned
from residua.bench.speed_run import BATCH, CROP, EPOCHS, RECIPE, make_rates
from residua.bench.timing import Workload
from residua.data.pictures.selection import Images
from residua.data.preprocessing import Preprocessing
from residua.training.lookahead import EVERY, slow_share
from residua.variables import Tree, flatten, trainable


class Scaled(nn.Module):
    """Logits divided by nine."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shaped like x."""
        return x / 9


def norm(channels: int) -> nn.Module:
    """Normalisation without a scale to learn."""
    made = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    made.weight.requires_grad_(False)
    return made


def airbench94(width: int = 64, classes: int = 10) -> nn.Sequential:
    """The network, section 3 and the published program."""
    layers: list[nn.Module] = [nn.Conv2d(3, 24, 2, bias=True), nn.GELU()]
    layers[0].weight.requires_grad_(False)
    before = 24
    for after in (width, 4 * width, 4 * width):
        for place in range(2):
            layers.append(nn.Conv2d(before, after, 3, padding="same", bias=False))
            layers += [] if place else [nn.MaxPool2d(2)]
            layers += [norm(after), nn.GELU()]
            before = after
    return nn.Sequential(
        *layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(before, classes, bias=False), Scaled()
    )


def load(network: nn.Sequential, variables: Tree) -> nn.Sequential:
    """The network with residua's variables."""
    arrays = flatten(variables)
    fixed = next(array for path, array in arrays.items() if path.endswith("fixed_weight"))
    learned = [arrays[path] for path in flatten(trainable(variables))]
    with torch.no_grad():
        network[0].weight.copy_(turned(fixed))
        mine = [parameter for parameter in network.parameters() if parameter.requires_grad]
        for parameter, array in zip(mine, learned, strict=True):
            parameter.copy_(turned(array))
    return network


class Stepper:
    """Steps of the recipe one after the other, of `total` in all."""

    def __init__(self, network: nn.Sequential, total: int) -> None:
        self.network, self.total, self.done = network.train(), total, 0
        norms = [m.bias for m in network if isinstance(m, nn.BatchNorm2d)]
        others = [p for p in network.parameters() if p.requires_grad and all(p is not n for n in norms)]
        decay, faster = RECIPE.decay, RECIPE.bias_rate
        self.optimizer = torch.optim.SGD(
            [
                {"params": others, "weight_decay": decay, "faster": 1.0},
                {"params": norms, "weight_decay": decay / faster, "faster": faster},
            ],
            lr=RECIPE.rate,
            momentum=RECIPE.momentum,
            nesterov=RECIPE.nesterov,
            fused=True,
        )
        self.slow = {name: value.clone() for name, value in network.state_dict().items()}

    def __call__(self, x: torch.Tensor, t: torch.Tensor, rate: float) -> float:
        """One step; its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["faster"]
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.network(x), t, label_smoothing=RECIPE.smoothing)
        loss.backward()
        self.optimizer.step()
        self.done += 1
        if self.done % EVERY == 0:
            share = slow_share(self.done / self.total)
            with torch.no_grad():
                for name, value in self.network.state_dict().items():
                    if value.is_floating_point():
                        self.slow[name].lerp_(value, 1 - share)
                        value.copy_(self.slow[name])
        return float(loss.detach())


def vary(pictures: torch.Tensor, mirrored: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) moved by up to two pixels, those marked mirrored."""
    count, _, height, width = pictures.shape
    padded = functional.pad(pictures, (CROP,) * 4, "reflect")
    moved = torch.empty_like(pictures)
    shifts = torch.randint(0, 2 * CROP + 1, (count, 2))
    for down in range(2 * CROP + 1):
        for right in range(2 * CROP + 1):
            chosen = (shifts[:, 0] == down) & (shifts[:, 1] == right)
            moved[chosen] = padded[chosen, :, down : down + height, right : right + width]
    return torch.where(mirrored.view(-1, 1, 1, 1), moved.flip(-1), moved)


def train_step(
    images: Images, labels: NDArray[np.int64], variables: Tree, layout: str, batch: int = BATCH
) -> Workload:
    """One step of training, its batch normalised and varied before it."""
    torch.manual_seed(0)
    images = np.asarray(images)
    preprocessing = Preprocessing.measure(images)
    mean, std = (torch.tensor(part).view(1, 3, 1, 1) for part in (preprocessing.mean, preprocessing.std))
    pixels, targets = torch.from_numpy(images), torch.from_numpy(labels)
    width = flatten(variables)["block1.conv1.weight"].shape[-1]
    network = load(airbench94(width), variables).to(memory_format=LAYOUTS[layout])
    per_epoch = len(labels) // batch
    take = Stepper(network, EPOCHS * per_epoch)
    rates = make_rates()
    memory = rates.start()
    begun = torch.rand(len(labels)) < 0.5  # who is mirrored in the first epoch
    order = torch.randperm(len(labels))

    def step() -> float:
        nonlocal order
        epoch, place = divmod(take.done, per_epoch)
        if take.done and not place:
            order = torch.randperm(len(labels))
        rows = order[place * batch : (place + 1) * batch]
        x = (pixels[rows].permute(0, 3, 1, 2).to(torch.float32) / 255 - mean) / std
        x = vary(x, begun[rows] ^ bool(epoch % 2)).contiguous(memory_format=LAYOUTS[layout])
        return take(x, targets[rows], rates.rate(place / per_epoch, memory))

    return step
