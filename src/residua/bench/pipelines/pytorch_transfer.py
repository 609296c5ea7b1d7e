"""The usual PyTorch script for transfer learning: SqueezeNet with a new head, the base frozen, one epoch.

    python -m residua.bench.pipelines.pytorch_transfer WEIGHTS FOLDER OUTPUT THREADS WORKERS

The folder has a folder for each class. A tenth of the photographs is held out for validation and a tenth for
the test at the end, as `residua train` does.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from residua.bench.pipelines.pytorch_pictures import Photographs, evaluation_transform, training_transform
from residua.bench.pytorch_networks import squeezenet

BATCH, RATE, MOMENTUM, DECAY = 32, 0.01, 0.9, 1e-4


def main(weights: str, folder: str, output: str, threads: int, workers: int) -> None:
    """Train the head for an epoch, judge it, and keep it."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    random.seed(0)
    began = time.perf_counter()

    classes = sorted(path.name for path in Path(folder).iterdir())
    pairs = [(file, label) for label, name in enumerate(classes) for file in Path(folder, name).glob("*.jpg")]
    random.shuffle(pairs)
    tenth = len(pairs) // 10
    test, validation, train = pairs[:tenth], pairs[tenth : 2 * tenth], pairs[2 * tenth :]

    network = squeezenet(classes=1000)
    network.load_state_dict(load_file(weights))
    for parameter in network.parameters():
        parameter.requires_grad = False
    place = max(i for i, layer in enumerate(network) if isinstance(layer, nn.Conv2d))
    network[place] = nn.Conv2d(512, len(classes), 1)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network[place].parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)

    network.train()
    for images, labels in _loader(train, True, workers):
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(images.to(memory_format=torch.channels_last)), labels)
        loss.backward()
        optimizer.step()
    for pictures in (validation, test):
        print(f"accuracy {_accuracy(network, _loader(pictures, False, workers))}")
    torch.save(network.state_dict(), output)
    print(f"inside {time.perf_counter() - began}")


def _loader(pairs: list[tuple[Path, int]], training: bool, workers: int) -> DataLoader:
    transform = training_transform if training else evaluation_transform
    dataset = Photographs([file for file, _ in pairs], [label for _, label in pairs], transform)
    return DataLoader(dataset, batch_size=BATCH, shuffle=training, num_workers=workers)


def _accuracy(network: nn.Module, loader: DataLoader) -> float:
    network.eval()
    correct = 0
    with torch.inference_mode():
        for images, labels in loader:
            answers = network(images.to(memory_format=torch.channels_last)).argmax(1)
            correct += int((answers == labels).sum())
    return correct / len(loader.dataset)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
