"""The usual PyTorch script that names what is in a folder of photographs, as a CSV file.

python -m residua.bench.pipelines.pytorch_predict WEIGHTS CLASSES FOLDER OUTPUT THREADS WORKERS
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from residua.bench.pipelines.pytorch_pictures import Photographs, evaluation_transform
from residua.bench.pytorch_networks import squeezenet

TOP, BATCH = 3, 64


def main(weights: str, classes: str, folder: str, output: str, threads: int, workers: int) -> None:
    """Predict every picture of the folder."""
    torch.set_num_threads(threads)
    names = Path(classes).read_text(encoding="utf-8").splitlines()
    network = squeezenet(classes=len(names))
    network.load_state_dict(load_file(weights))
    network = network.eval().to(memory_format=torch.channels_last)
    began = time.perf_counter()
    files = sorted(Path(folder).rglob("*.jpg"))
    dataset = Photographs(files, [0] * len(files), evaluation_transform)
    loader = DataLoader(dataset, batch_size=BATCH, num_workers=workers)
    with open(output, "w", newline="", encoding="utf-8") as out, torch.inference_mode():
        writer = csv.writer(out)
        writer.writerow(
            ["file", "class", "probability", "class_2", "probability_2", "class_3", "probability_3"]
        )
        place = 0
        for images, _ in loader:
            logits = network(images.to(memory_format=torch.channels_last))
            probabilities, indices = logits.softmax(1).topk(TOP)
            for row, chosen in zip(probabilities.tolist(), indices.tolist(), strict=True):
                cells = [cell for p, i in zip(row, chosen, strict=True) for cell in (names[i], p)]
                writer.writerow([files[place], *cells])
                place += 1
    print(f"inside {time.perf_counter() - began}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
