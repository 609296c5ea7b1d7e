"""What people write to answer pictures in tar shards with PyTorch: the peer of predict_by_the_million.py.

    python benchmarks/predict_torch.py MODEL shards/ out.csv --workers 2

MODEL: a ResNet-20 by residua, of which the weights, the classes and mean and deviation are taken.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from residua.bench.pytorch_networks import load, small_resnet
from residua.models.model_file import load_model
from residua.variables import flatten


class Shards(IterableDataset):
    """The pictures of tars, each tar read by one of the loader's processes."""

    def __init__(self, files: list[Path], mean: np.ndarray, std: np.ndarray) -> None:
        self.files, self.mean, self.std = files, mean, std

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        info = get_worker_info()
        mine = self.files if info is None else self.files[info.id :: info.num_workers]
        for file in mine:
            with tarfile.open(file) as archive:
                for member in archive:
                    stream = archive.extractfile(member)
                    if stream is None:
                        continue
                    image = np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB"), np.float32)
                    scaled = (image / 255 - self.mean) / self.std
                    yield f"{file}/{member.name}", torch.from_numpy(scaled.transpose(2, 0, 1).copy())


def main() -> None:
    """Write file, class and probability of every picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("shards", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    model = load_model(options.model)
    network = load(small_resnet(20, len(model.classes)), model.variables).eval()
    flat = flatten(model.variables)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for name in ("mean", "var"):
        values = [value for path, value in flat.items() if path.endswith(f"running_{name}")]
        for norm, value in zip(norms, values, strict=True):
            getattr(norm, f"running_{name}").copy_(torch.from_numpy(value))
    network = network.to(memory_format=torch.channels_last)
    shape = model.preprocessing
    data = Shards(
        sorted(options.shards.glob("*.tar")),
        np.array(shape.mean, np.float32),
        np.array(shape.std, np.float32),
    )
    with options.output.open("w", newline="") as stream, torch.inference_mode():
        writer = csv.writer(stream)
        writer.writerow(["file", "class", "probability"])
        for names, images in DataLoader(data, batch_size=256, num_workers=options.workers):
            images = images.contiguous(memory_format=torch.channels_last)
            probabilities, places = network(images).softmax(1).max(1)
            for name, place, probability in zip(names, places.tolist(), probabilities.tolist(), strict=True):
                writer.writerow([name, model.classes[place], probability])


if __name__ == "__main__":
    main()
