"""The usual way of photographs into PyTorch: Pillow, a Dataset, and torchvision's transforms written out.

torchvision's wheels fit PyTorch's for one kind of processor; these few lines are what its transforms of the
same names do to Pillow's pictures, by the same calls.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's

Transform = Callable[[Image.Image], torch.Tensor]


def to_tensor(image: Image.Image) -> torch.Tensor:
    """(3, H, W) float32 from 0 to 1."""
    pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
    return pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255)


def normalize(x: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """(x - mean) / std, channel by channel."""
    return x.sub_(torch.tensor(mean).view(-1, 1, 1)).div_(torch.tensor(std).view(-1, 1, 1))


def resize(image: Image.Image, side: int) -> Image.Image:
    """The shorter side brought to `side`."""
    width, height = image.size
    short, long = min(width, height), max(width, height)
    scaled = int(side * long / short)
    return image.resize((side, scaled) if width < height else (scaled, side), Image.Resampling.BILINEAR)


def center_crop(image: Image.Image, side: int) -> Image.Image:
    """The middle."""
    left, top = round((image.width - side) / 2), round((image.height - side) / 2)
    return image.crop((left, top, left + side, top + side))


def random_crop(image: Image.Image, side: int, padding: int) -> Image.Image:
    """Padded with black, then cut at a random place."""
    padded = ImageOps.expand(image, padding)
    left = random.randint(0, padded.width - side)
    top = random.randint(0, padded.height - side)
    return padded.crop((left, top, left + side, top + side))


def random_flip(image: Image.Image) -> Image.Image:
    """Mirrored half of the time."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else image


def evaluation_transform(image: Image.Image) -> torch.Tensor:
    """Resize(256), CenterCrop(224), ToTensor, Normalize."""
    return normalize(to_tensor(center_crop(resize(image, 256), 224)), MEAN, STD)


def training_transform(image: Image.Image) -> torch.Tensor:
    """The same with RandomHorizontalFlip."""
    return normalize(to_tensor(random_flip(center_crop(resize(image, 256), 224))), MEAN, STD)


class Photographs(Dataset[tuple[torch.Tensor, int]]):
    """Picture files and their labels."""

    def __init__(self, files: Sequence[Path], labels: Sequence[int], transform: Transform) -> None:
        self.files, self.labels, self.transform = files, labels, transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), self.labels[index]
