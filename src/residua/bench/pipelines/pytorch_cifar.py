"""The usual PyTorch script that trains ResNet-20 on CIFAR-10 for an epoch, with random crops and mirroring.

python -m residua.bench.pipelines.pytorch_cifar PIXELS LABELS STEPS THREADS WORKERS
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from residua.bench.pipelines.pytorch_pictures import normalize, random_crop, random_flip, to_tensor
from residua.bench.pytorch_networks import small_resnet

BATCH, RATE, MOMENTUM, DECAY = 128, 0.15, 0.9, 5e-4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)


class Cifar(Dataset):
    """(N, 32, 32, 3) pixels in memory, each picture varied as it is asked for."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        self.pixels, self.labels = pixels, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = random_flip(random_crop(Image.fromarray(self.pixels[index]), 32, 4))
        return normalize(to_tensor(image), MEAN, STD), int(self.labels[index])


def main(pixels: str, labels: str, steps: int, threads: int, workers: int) -> None:
    """One epoch, or its first steps."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    dataset = Cifar(np.load(pixels), np.load(labels))
    network = small_resnet(depth=20).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=RATE, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY, fused=True
    )
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True, num_workers=workers)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=len(loader))
    began, total = time.perf_counter(), 0.0
    for step, (images, targets) in enumerate(loader, start=1):
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(network(images.to(memory_format=torch.channels_last)), targets)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if step == steps:
            break
    print(f"loss {total / step}")
    print(f"inside {time.perf_counter() - began}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
