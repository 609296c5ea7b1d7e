"""The same CIFAR residual network, twice: a train step of residua's and one of PyTorch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from residua.models.resnet import small_resnet
from residua.variables import merge, trainable, transform

RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-4


class Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.extra = stride, after - before

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        if self.stride != 1:
            half = self.extra // 2
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.extra - half))
        return functional.relu(x + y, inplace=True)


def torch_resnet(depth: int, width: int = 16) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    before = width
    for stage in range(3):
        after = width << stage
        for number in range((depth - 2) // 6):
            layers.append(Block(before, after, 2 if stage and not number else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def batch(count: int, seed: int = 0, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(count, size, size, 3)).astype(np.float32)
    return pictures, rng.integers(0, 10, count)


def torch_step(depth: int, pictures: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    torch.manual_seed(0)
    network = torch_resnet(depth).train().to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    t = torch.from_numpy(labels)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(x), t)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def torch_inference(depth: int, pictures: np.ndarray) -> Callable[[], object]:
    torch.manual_seed(0)
    network = torch_resnet(depth).eval().to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def infer() -> object:
        with torch.no_grad():
            return network(x)

    return infer


def our_step(engine: object, depth: int, pictures: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    network = small_resnet(depth=depth)
    variables = network.init(np.random.default_rng(0))
    slots = transform(np.zeros_like, trainable(variables))
    options = {"momentum": MOMENTUM, "nesterov": False, "decay": DECAY, "decoupled": False}

    def update(values: dict, slot: dict, grads: dict) -> tuple[dict, dict]:
        new, new_slots = {}, {}
        for name, slot_value in slot.items():
            if isinstance(slot_value, dict):
                new[name], new_slots[name] = update(values[name], slot_value, grads[name])
            else:
                new[name], new_slots[name] = engine.sgd(
                    values[name], slot_value, grads[name], RATE, **options
                )
        return new, new_slots

    def step(variables: dict, slots: dict, pictures: np.ndarray, labels: np.ndarray) -> tuple:
        logits, saved, stats = network.forward(engine, variables, pictures)
        loss, dlogits = engine.softmax_cross_entropy(logits, labels)
        _, grads = network.backward(engine, variables, saved, dlogits)
        new, slots = update(variables, slots, grads)
        return merge(merge(variables, new), stats), slots, loss

    compiled = engine.compile(step, donate=("variables", "slots"))
    state = [variables, slots]

    def run() -> float:
        state[0], state[1], loss = compiled(state[0], state[1], pictures, labels)
        return float(loss)

    return run


def our_inference(engine: object, depth: int, pictures: np.ndarray) -> Callable[[], object]:
    network = small_resnet(depth=depth)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    compiled = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    return lambda: compiled(variables, pictures)
